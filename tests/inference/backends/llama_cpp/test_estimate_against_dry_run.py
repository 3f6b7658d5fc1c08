"""The estimate from the header beside llama.cpp's own dry run of the same header."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inference.backends.llama_cpp.breakdown import readable
from inference.backends.llama_cpp.dry_run import DryRunOracle
from inference.planning.estimate import EstimateOracle
from inference.planning.values import Measured, Settings
from inference.values import Override, Placement
from models_catalog.gguf.header import GgufHeader, parse_header, read_header
from models_catalog.gguf.plan_data import plan_data, read_plan_data
from tests.inference.backends.virtual import CALLBACKS, DEVICES
from tests.tiny_models import TinyModel, tiny_hybrid, tiny_llama, tiny_mamba, tiny_qwen2

pytestmark = pytest.mark.skipif(not readable(), reason="the memory breakdown cannot be read on this platform")

_HEADS = Path(__file__).resolve().parents[4].parent / "shared" / "headers"
_MIB = 1024**2
_BY_DEVICE = dict[str, tuple[int, int, int]]


def _settings(**changes: Any) -> Settings:
    return Settings(**{"context_tokens": 8192, "sequences": 4, "batch_tokens": 512, "outputs_max": 4, **changes})


@contextmanager
def _both(header: GgufHeader) -> Iterator[tuple[DryRunOracle, EstimateOracle]]:
    head = plan_data(header)
    known = read_plan_data(head, header.path)
    dry = DryRunOracle(
        head,
        size_bytes=known.size_bytes,
        devices=DEVICES,
        device_names=("CUDA0", "CUDA1"),
        threads=2,
        callbacks=CALLBACKS,
    )
    try:
        yield dry, EstimateOracle(known)
    finally:
        dry.close()


def _by_device(measured: Measured) -> _BY_DEVICE:
    totals: _BY_DEVICE = {}
    for buffer in measured.buffers:
        weights, state, compute = totals.get(buffer.device, (0, 0, 0))
        totals[buffer.device] = (
            weights + buffer.weights_bytes,
            state + buffer.state_bytes,
            compute + buffer.compute_bytes,
        )
    return {device: parts for device, parts in totals.items() if any(parts)}


@pytest.mark.parametrize("make", [tiny_llama, tiny_qwen2, tiny_hybrid, tiny_mamba])
@pytest.mark.parametrize("changes", [{}, {"context_tokens": 1000, "sequences": 1}, {"flash_attention": False}])
def test_tiny_models(make: Callable[[], TinyModel], changes: dict[str, Any], tmp_path: Path) -> None:
    with _both(read_header(make().write(tmp_path / "tiny.gguf"))) as (dry, estimate):
        settings = _settings(**changes)
        expected, estimated = _by_device(dry.measure(settings)), _by_device(estimate.measure(settings))
    assert estimated.keys() == expected.keys() == {"CPU"}
    # Small tensors are rounded up to the alignment of their buffer.
    assert estimated["CPU"][0] == pytest.approx(expected["CPU"][0], abs=4096)
    assert estimated["CPU"][1] == expected["CPU"][1]
    assert estimated["CPU"][2] == pytest.approx(expected["CPU"][2], rel=0.3, abs=_MIB)


_PLACEMENTS = {
    "processor": Placement(),
    "one card": Placement(devices=("CUDA0",), gpu_layers=99),
    "half": Placement(devices=("CUDA0",), gpu_layers=12),
    "two cards": Placement(devices=("CUDA0", "CUDA1"), gpu_layers=99, tensor_split=(2.0, 1.0)),
    "spilled": Placement(
        devices=("CUDA0",),
        gpu_layers=99,
        overrides=(Override(pattern=r"blk\.[0-3]\.ffn_(up|down|gate)", device="CPU"),),
    ),
    "no layer": Placement(devices=("CUDA0",), gpu_layers=0),
}


@pytest.mark.skipif(not _HEADS.is_dir(), reason="headers of real models are not at hand")
@pytest.mark.parametrize("name", ["DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf.head", "gemma-3-270m-Q4_K_M.gguf.head"])
@pytest.mark.parametrize("placement", _PLACEMENTS.values(), ids=_PLACEMENTS)
@pytest.mark.parametrize(
    "changes",
    [{}, {"flash_attention": False}, {"kv_type_k": "q8_0", "kv_type_v": "q8_0"}, {"swa_full": False}],
    ids=["usual", "plain attention", "8-bit cache", "windows"],
)
def test_real_headers(name: str, placement: Placement, changes: dict[str, Any]) -> None:
    with _both(_real_header(name)) as (dry, estimate):
        settings = _settings(placement=placement, **changes)
        expected, estimated = _by_device(dry.measure(settings)), _by_device(estimate.measure(settings))
    assert estimated.keys() == expected.keys()
    for device, (weights, state, compute) in expected.items():
        assert estimated[device][0] == pytest.approx(weights, abs=4096)
        # ggml-cuda fills up rows of quantized caches as well: 768 bytes for each.
        assert estimated[device][1] == pytest.approx(state, rel=0 if settings.kv_type_k == "f16" else 5e-4)
        assert estimated[device][2] == pytest.approx(compute, rel=0.3)


def _real_header(name: str) -> GgufHeader:
    """Of a file that is only its beginning; cached by nobody, parsing takes 0.1 s."""
    with (_HEADS / name).open("rb") as file:
        return parse_header(file.read, size_bytes=10**11, path=name)
