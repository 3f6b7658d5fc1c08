"""The estimate: against numbers of real dry runs of the same shapes."""

from __future__ import annotations

from typing import Any

import pytest

from inference.planning.estimate import EstimateOracle, repacked_on
from inference.planning.oracle import MeasureFailed, Oracle
from inference.planning.values import HOST, Settings
from inference.values import Placement
from tests.inference.planning.headers import mixture, qwen3_0_6b

_MIB = 1024**2


def _settings(**changes: Any) -> Settings:
    return Settings(**{"context_tokens": 8192, "sequences": 1, "batch_tokens": 512, "outputs_max": 1, **changes})


@pytest.mark.parametrize(
    ("changes", "mib"),
    [
        ({}, 34.01),
        ({"outputs_max": 512}, 300.75),
        ({"flash_attention": False}, 290.01),
        ({"context_tokens": 32768, "flash_attention": False}, 1106.01),
        ({"context_tokens": 2048, "batch_tokens": 128}, 7.0),
        ({"batch_tokens": 2048, "outputs_max": 16, "sequences": 16}, 136.05),
    ],
)
def test_compute_buffers_of_a_dense_model(changes: dict[str, Any], mib: float) -> None:
    (buffer, *_) = EstimateOracle(qwen3_0_6b()).measure(_settings(**changes)).buffers
    assert buffer.compute_bytes / _MIB == pytest.approx(mib, rel=0.1)


def test_it_is_labelled_and_serves_as_an_oracle() -> None:
    oracle: Oracle = EstimateOracle(qwen3_0_6b())
    assert oracle.measure(_settings()).basis == "estimate"
    assert oracle.measure(_settings()) == oracle.measure(_settings())


def test_a_quantized_value_cache_needs_flash_attention() -> None:
    with pytest.raises(MeasureFailed):
        EstimateOracle(qwen3_0_6b()).measure(_settings(flash_attention=False, kv_type_v="q8_0"))


def test_scratch_memory_without_flash_attention_grows_with_the_context() -> None:
    oracle = EstimateOracle(qwen3_0_6b())
    assert oracle.measure(_settings(flash_attention=False)).work_bytes == 8192 * 512 * 16 * 2
    assert oracle.measure(_settings()).work_bytes < 8 * _MIB


def test_every_device_has_its_row() -> None:
    model = qwen3_0_6b()
    measured = EstimateOracle(model).measure(_settings(placement=Placement(devices=("CUDA0",), gpu_layers=15)))
    rows = {buffer.device: buffer for buffer in measured.buffers}
    assert list(rows) == [HOST, "CUDA0"]
    # Half of the layers with their keys and values on each side; the tied output matrix exists twice.
    assert rows["CUDA0"].state_bytes == rows[HOST].state_bytes == 448 * _MIB
    table = model.tensors["token_embd.weight"].size_bytes
    assert rows["CUDA0"].weights_bytes + rows[HOST].weights_bytes == model.weight_bytes + table
    assert rows["CUDA0"].compute_bytes > 0


def test_a_large_vocabulary_is_paid_where_the_output_lies() -> None:
    whole = Placement(devices=("CUDA0",), gpu_layers=99)
    measured = EstimateOracle(qwen3_0_6b()).measure(_settings(outputs_max=512, placement=whole))
    rows = {buffer.device: buffer for buffer in measured.buffers}
    assert rows["CUDA0"].compute_bytes > 290 * _MIB > 20 * _MIB > rows[HOST].compute_bytes


def test_the_graph_of_a_token() -> None:
    """3.071 billion operations and these bytes are what llama.cpp's own graph has for this shape.

    Counted are the nodes that compute: a block's seven products, attention, seven small ones, two for each norm.
    """
    cost = EstimateOracle(qwen3_0_6b()).graph(_settings(), 1)
    assert sum(operation.flops for operation in cost.operations) == pytest.approx(3.07101696e9, rel=1e-6)
    assert sum(operation.nodes for operation in cost.operations) == 28 * (7 + 1 + 7 + 2 * 2) + 2
    read = {
        kind: sum(item.read_bytes for item in cost.operations if item.kind == kind) for kind in ("weights", "attention")
    }
    assert read["attention"] == 896 * _MIB
    assert read["weights"] == pytest.approx(405.6e6, rel=0.01)
    assert (cost.tokens, cost.context_tokens) == (1, 8192)
    assert {operation.layer for operation in cost.operations} == set(range(-1, 29))


def test_only_the_used_experts_are_read() -> None:
    model = mixture(experts=64, used=8)
    experts = sum(tensor.size_bytes for name, tensor in model.tensors.items() if "_exps" in name)

    def read(tokens: int) -> float:
        cost = EstimateOracle(model).graph(_settings(), tokens)
        return sum(operation.read_bytes for operation in cost.operations if operation.kind == "experts")

    assert read(1) == pytest.approx(experts / 8)
    assert read(2) == pytest.approx(experts * (1 - (7 / 8) ** 2))
    assert read(512) == pytest.approx(experts)


def test_a_thousand_candidates_are_quick_enough_for_a_search() -> None:
    """Weights are placed once for each placement: asking about other contexts costs microseconds."""
    oracle = EstimateOracle(qwen3_0_6b())
    answers = [oracle.measure(_settings(context_tokens=256 * (step + 1))) for step in range(128)]
    totals = [sum(buffer.state_bytes for buffer in answer.buffers) for answer in answers]
    assert totals == sorted(totals)


def test_processors_re_order_different_types() -> None:
    assert "Q6_K" in repacked_on("arm64") and "Q6_K" not in repacked_on("AMD64")
    assert not repacked_on("mips")
