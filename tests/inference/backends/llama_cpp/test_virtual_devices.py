from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inference.backends.llama_cpp.breakdown import read_breakdown, readable
from inference.backends.llama_cpp.library import base, ggml, lib
from inference.backends.llama_cpp.params import context_params, model_params
from inference.backends.llama_cpp.virtual_devices import MAX_DEVICES
from inference.values import HOST, BufferBytes, LoadPlan, Override, Placement
from tests.inference.backends.virtual import DEVICES
from tests.tiny_models import write_tiny_hybrid, write_tiny_llama

pytestmark = pytest.mark.skipif(not readable(), reason="the C++ layout of this platform is not known")

LAYERS_AND_OUTPUT = 99


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("m") / "m.gguf", context=2048, width=128)


@contextmanager
def dry_context(path: Path, placement: Placement, **settings: Any) -> Iterator[Any]:
    plan = LoadPlan(
        model_path=str(path),
        context_tokens=512,
        sequences=2,
        batch_tokens=64,
        decode_threads=1,
        batch_threads=1,
        placement=placement,
        memory_map=False,
        **settings,
    )
    with model_params(plan) as params:
        params.no_alloc = True
        model = lib.llama_model_load_from_file(plan.model_path.encode(), params)
    assert model
    context = lib.llama_init_from_model(model, context_params(plan))
    assert context
    yield context
    lib.llama_free(context)
    lib.llama_model_free(model)


def bytes_on(path: Path, placement: Placement, **settings: Any) -> dict[str, tuple[int, int, int]]:
    """(weights, state, compute) by device."""
    sums: dict[str, tuple[int, int, int]] = {}
    with dry_context(path, placement, **settings) as context:
        buffers = read_breakdown(context)
    assert buffers is not None
    for buffer in buffers:
        weights, state, compute = sums.get(buffer.device, (0, 0, 0))
        sums[buffer.device] = (
            weights + buffer.weights_bytes,
            state + buffer.state_bytes,
            compute + buffer.compute_bytes,
        )
    return sums


def test_without_a_placement_no_device_is_touched(model_path: Path) -> None:
    DEVICES.call_them(["CUDA0"])
    assert set(bytes_on(model_path, Placement())) == {HOST}


def test_all_layers_on_one_card(model_path: Path) -> None:
    DEVICES.call_them(["CUDA0"])
    on_cpu = bytes_on(model_path, Placement())[HOST]
    placed = bytes_on(model_path, Placement(devices=("CUDA0",), gpu_layers=LAYERS_AND_OUTPUT))
    assert placed["CUDA0"][1] == on_cpu[1] and placed[HOST][1] == 0
    # The token embedding stays with the processor; everything else moves.
    assert 0 < placed[HOST][0] < on_cpu[0] and placed[HOST][0] + placed["CUDA0"][0] >= on_cpu[0]


def test_two_cards_share_the_layers(model_path: Path) -> None:
    DEVICES.call_them(["CUDA0", "CUDA1"])
    placement = Placement(devices=("CUDA0", "CUDA1"), gpu_layers=LAYERS_AND_OUTPUT, tensor_split=(1.0, 1.0))
    placed = bytes_on(model_path, placement)
    assert placed["CUDA0"][0] > 0 and placed["CUDA1"][0] > 0
    assert placed["CUDA0"][1] + placed["CUDA1"][1] == bytes_on(model_path, Placement())[HOST][1]


def test_overrides_keep_weights_with_the_processor(model_path: Path) -> None:
    DEVICES.call_them(["Vulkan0"])
    everything = Placement(devices=("Vulkan0",), gpu_layers=LAYERS_AND_OUTPUT)
    spilled = Placement(
        devices=("Vulkan0",), gpu_layers=LAYERS_AND_OUTPUT, overrides=(Override(pattern="ffn_", device=HOST),)
    )
    whole, part = bytes_on(model_path, everything), bytes_on(model_path, spilled)
    assert part["Vulkan0"][0] < whole["Vulkan0"][0] and part[HOST][0] > whole[HOST][0]
    # Keys and values stay where the layer is.
    assert part["Vulkan0"][1] == whole["Vulkan0"][1]


def test_quantized_keys_and_values_are_unpacked_beside_the_result_as_cuda_does(model_path: Path) -> None:
    placement = Placement(devices=("CUDA0",), gpu_layers=LAYERS_AND_OUTPUT)
    DEVICES.call_them(["CUDA0"])
    as_cuda = bytes_on(model_path, placement, kv_type_k="q8_0", kv_type_v="q8_0")["CUDA0"]
    DEVICES.call_them(["Vulkan0"])
    placement = Placement(devices=("Vulkan0",), gpu_layers=LAYERS_AND_OUTPUT)
    as_vulkan = bytes_on(model_path, placement, kv_type_k="q8_0", kv_type_v="q8_0")["Vulkan0"]
    assert as_cuda[2] > as_vulkan[2]
    # CUDA's rows of quantized values are padded, here those of the cache too.
    assert as_vulkan[1] <= as_cuda[1] < 1.1 * as_vulkan[1]


def test_names_are_found_and_more_devices_than_there_are_are_refused() -> None:
    handles = DEVICES.call_them(["CUDA0", "Metal"])
    assert ggml.ggml_backend_dev_by_name(b"Metal") == handles[1]
    assert base.ggml_backend_dev_name(ctypes.c_void_p(handles[0])) == b"CUDA0"
    with pytest.raises(ValueError):
        DEVICES.call_them([f"CUDA{number}" for number in range(MAX_DEVICES + 1)])


def test_the_host_buffers_of_a_card_count_as_main_memory(model_path: Path) -> None:
    DEVICES.call_them(["CUDA0"])
    with dry_context(model_path, Placement(devices=("CUDA0",), gpu_layers=1)) as context:
        buffers: tuple[BufferBytes, ...] | None = read_breakdown(context)
    assert buffers is not None
    assert {buffer.buffer_type: buffer.device for buffer in buffers}["CUDA_Host"] == HOST


def test_recurrent_state_lies_on_the_card_though_it_is_really_allocated(tmp_path: Path) -> None:
    DEVICES.call_them(["CUDA0"])
    path = write_tiny_hybrid(tmp_path / "h.gguf", context=2048)
    on_cpu = bytes_on(path, Placement())[HOST]
    placed = bytes_on(path, Placement(devices=("CUDA0",), gpu_layers=LAYERS_AND_OUTPUT))
    assert placed[HOST][1] == 0
    assert on_cpu[1] <= placed["CUDA0"][1] <= on_cpu[1] + 1024
