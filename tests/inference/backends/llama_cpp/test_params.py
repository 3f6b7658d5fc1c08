"""A plan becomes llama.cpp's parameters: devices, shares, overrides, and what is told when they cannot be had."""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.backends.llama_cpp import backend as llama_cpp
from inference.backends.llama_cpp.batch import BatchTooLarge
from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.params import context_params, model_params
from inference.errors import DeviceMissing, OutOfMemoryLoading
from inference.scheduling.step import Segment
from inference.values import HOST, LoadPlan, Override, Placement
from tests import tiny_models


@pytest.fixture(scope="module")
def callbacks() -> Callbacks:
    lib.llama_backend_init()
    return Callbacks(lambda text: None)


@pytest.fixture
def plan(tmp_path: Path, callbacks: Callbacks) -> Iterator[LoadPlan]:
    yield LoadPlan(
        model_path=str(tiny_models.write_tiny_llama(tmp_path / "tiny.gguf")),
        context_tokens=512,
        sequences=4,
        batch_tokens=64,
        decode_threads=1,
        batch_threads=1,
        memory_map=False,
    )


def load(plan: LoadPlan, callbacks: Callbacks) -> llama_cpp.LlamaBackend:
    return llama_cpp.load(plan, callbacks=callbacks, on_progress=lambda fraction: None)


def pointers(address: int, count: int) -> list[int | None]:
    return list((ctypes.c_void_p * count).from_address(address))


def test_a_plan_without_devices_uses_none_even_where_there_are_some(plan: LoadPlan) -> None:
    with model_params(plan) as params:
        assert pointers(params.devices, 1) == [None]
        assert params.n_gpu_layers == 0 and not params.tensor_buft_overrides and not params.tensor_split


def test_a_placement_is_handed_on(plan: LoadPlan) -> None:
    # The processor stands for a device here: its handle is found by the same name.
    placement = Placement(
        devices=("CPU", "CPU"),
        gpu_layers=2,
        tensor_split=(3.0, 1.0),
        overrides=(Override(pattern=r"blk\.0\.ffn", device=HOST),),
    )
    with model_params(replace(plan, placement=placement)) as params:
        first, second, end = pointers(params.devices, 3)
        assert first and first == second and end is None
        assert params.n_gpu_layers == 2 and params.tensor_split[:3] == [3.0, 1.0, 0.0]
        pattern, buffer_type, last, _ = pointers(params.tensor_buft_overrides, 4)
        assert ctypes.string_at(pattern or 0) == rb"blk\.0\.ffn" and buffer_type and last is None


def test_what_the_context_is_made_with(plan: LoadPlan) -> None:
    params = context_params(
        replace(plan, kv_type_k="q8_0", kv_type_v="bf16", swa_full=False, flash_attention=False, outputs_max=9)
    )
    assert (params.type_k, params.type_v) == (lib.GGML_TYPE_Q8_0, 30)
    assert (params.swa_full, params.flash_attn_type, params.n_outputs_max) == (False, 0, 9)
    assert context_params(plan).n_outputs_max == 4


def test_weights_are_kept_out_of_repacking_by_the_plan(plan: LoadPlan, callbacks: Callbacks) -> None:
    path = tiny_models.tiny_llama(weights="q8_0").write(Path(plan.model_path).with_name("q8.gguf"))
    plan = replace(plan, model_path=str(path), repack=False)
    model = load(replace(plan, placement=Placement(overrides=(Override(pattern="ffn", device=HOST),))), callbacks)
    memory = model.facts.memory
    assert {buffer.device for buffer in memory.buffers} <= {HOST}
    assert not any("REPACK" in buffer.buffer_type for buffer in memory.buffers)
    if sys.platform == "linux":
        assert sum(buffer.weights_bytes for buffer in memory.buffers) > 0
        assert sum(buffer.state_bytes for buffer in memory.buffers) == 512 * 2 * 2 * 2 * 32
        assert memory.private_bytes > 1_000_000
    model.close()


def test_a_device_that_is_not_there_is_named(plan: LoadPlan, callbacks: Callbacks) -> None:
    for placement in (
        Placement(devices=("CUDA7",), gpu_layers=1),
        Placement(overrides=(Override(pattern="ffn", device="CUDA7"),)),
    ):
        with pytest.raises(DeviceMissing) as missing:
            load(replace(plan, placement=placement), callbacks)
        assert (missing.value.path, missing.value.device) == (plan.model_path, "CUDA7")


def test_rows_for_all_sequences_and_no_more(plan: LoadPlan, callbacks: Callbacks) -> None:
    model = load(replace(plan, outputs_max=2, batch_tokens=8), callbacks)
    segments = [Segment(str(n), n, 0, array("i", [1]), True) for n in range(5)]
    with pytest.raises(BatchTooLarge):
        model.decode(segments, lambda: False)
    model.decode(segments[:4], lambda: False)
    model.close()


def test_a_warm_up_leaves_an_empty_cache(plan: LoadPlan, callbacks: Callbacks) -> None:
    model = load(plan, callbacks)
    model.warm_up()
    model.decode([Segment("a", 0, 0, array("i", [1, 2]), True)], lambda: False)
    model.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems promise any amount of memory")
def test_a_context_that_no_memory_holds_is_a_shortage(plan: LoadPlan, callbacks: Callbacks, tmp_path: Path) -> None:
    # A quarter of a megabyte for each token: the cells' own lists, which are really filled, stay small.
    wide = tiny_models.tiny_llama(layers=2)
    width = wide.metadata["llama.embedding_length"]
    heads = ("attention.key_length", "attention.value_length", "rope.dimension_count")
    wide.metadata |= {f"llama.{name}": 16_384 for name in heads}
    for block in ("blk.0", "blk.1"):
        for name, count in (("q", 4), ("k", 2), ("v", 2)):
            wide.tensors[f"{block}.attn_{name}.weight"] = np.zeros((count * 16_384, width), np.float32)
        wide.tensors[f"{block}.attn_output.weight"] = np.zeros((width, 4 * 16_384), np.float32)
    path = wide.write(tmp_path / "wide.gguf")
    with pytest.raises(OutOfMemoryLoading) as shortage:
        load(replace(plan, model_path=str(path), context_tokens=2**22), callbacks)
    assert shortage.value.device == HOST
    assert "alloc" in shortage.value.detail
