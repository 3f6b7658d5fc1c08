from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.llama_cpp.breakdown import readable
from inference.backends.llama_cpp.dry_run import DryRunOracle
from inference.planning.oracle import MeasureFailed
from inference.planning.values import Settings
from inference.values import HOST, Placement
from models_catalog.gguf.header import GgufHeader, read_header
from models_catalog.gguf.plan_data import plan_data, read_plan_data
from tests.inference.backends.virtual import CALLBACKS, DEVICES
from tests.tiny_models import write_tiny_hybrid, write_tiny_llama

pytestmark = pytest.mark.skipif(not readable(), reason="the C++ layout of this platform is not known")

PLAIN = Settings(context_tokens=512, sequences=2, batch_tokens=64, outputs_max=2)
ON_CARD = Settings(
    context_tokens=512,
    sequences=2,
    batch_tokens=64,
    outputs_max=2,
    placement=Placement(devices=("CUDA0",), gpu_layers=99),
)


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> GgufHeader:
    return read_header(write_tiny_llama(tmp_path_factory.mktemp("m") / "m.gguf", context=2048))


def oracle(header: GgufHeader, *names: str) -> DryRunOracle:
    head = plan_data(header)
    return DryRunOracle(
        head,
        size_bytes=read_plan_data(head, "m").size_bytes,
        devices=DEVICES,
        device_names=names,
        threads=2,
        callbacks=CALLBACKS,
    )


def test_weights_and_keys_are_counted_to_the_byte(header: GgufHeader) -> None:
    model = oracle(header)
    measured = model.measure(PLAIN)
    assert measured.basis == "exact" and {buffer.device for buffer in measured.buffers} == {HOST}
    # Buffers end where the alignment wants them to.
    weights = sum(buffer.weights_bytes for buffer in measured.buffers)
    assert header.weight_bytes <= weights < header.weight_bytes + 64 * len(header.tensors)
    assert header.kv_bytes_per_token is not None
    assert sum(buffer.state_bytes for buffer in measured.buffers) == 512 * header.kv_bytes_per_token
    assert measured.work_bytes > 0
    model.close()


def test_two_models_with_differently_named_devices_do_not_disturb_each_other(header: GgufHeader) -> None:
    cuda, vulkan = oracle(header, "CUDA0"), oracle(header, "Vulkan0")
    first = cuda.measure(ON_CARD)
    vulkan.measure(PLAIN)
    longer = Settings(context_tokens=1024, sequences=2, batch_tokens=64, outputs_max=2, placement=ON_CARD.placement)
    again = cuda.measure(longer)
    assert "CUDA0" in {buffer.device for buffer in again.buffers}
    assert sum(buffer.weights_bytes for buffer in again.buffers) == sum(b.weights_bytes for b in first.buffers)
    cuda.close()
    vulkan.close()


def test_what_the_engine_refuses_is_told(header: GgufHeader) -> None:
    model = oracle(header)
    refused = Settings(
        context_tokens=512, sequences=1, batch_tokens=64, outputs_max=1, kv_type_v="q8_0", flash_attention=False
    )
    with pytest.raises(MeasureFailed):
        model.measure(refused)
    model.close()


def test_the_work_of_a_hybrid_is_read_too(tmp_path: Path) -> None:
    model = oracle(read_header(write_tiny_hybrid(tmp_path / "h.gguf", context=2048)))
    one, batch = model.graph(PLAIN, 1), model.graph(PLAIN, 64)
    assert (one.tokens, batch.tokens) == (1, 64)
    assert sum(operation.flops for operation in batch.operations) > 10 * sum(o.flops for o in one.operations)
    model.close()
