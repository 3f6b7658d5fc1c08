from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.backends.llama_cpp.graph import OPERATIONS, WORKING, operation_kinds, read_graph, work_bytes
from inference.backends.llama_cpp.library import Callbacks, base, lib
from inference.planning.values import GraphCost, Operation
from tests.tiny_models import TOKENS, TinyModel, tiny_hybrid, tiny_llama, tiny_mamba

WIDTH, LAYERS, CONTEXT = 64, 2, 512


@pytest.fixture(scope="module", autouse=True)
def callbacks() -> Callbacks:
    lib.llama_backend_init()
    return Callbacks(lambda text: None)


@contextmanager
def dry_context(path: Path, *, flash: bool = True) -> Iterator[Any]:
    model_params = lib.llama_model_default_params()
    model_params.no_alloc, model_params.load_mode, model_params.n_gpu_layers = True, 0, 0
    # An empty list: without one every accelerator would be used, also the virtual ones of other tests.
    no_devices = (ctypes.c_void_p * 1)(None)
    model_params.devices = ctypes.cast(no_devices, ctypes.c_void_p)
    model = lib.llama_model_load_from_file(str(path).encode(), model_params)
    context_params = lib.llama_context_default_params()
    context_params.n_ctx, context_params.flash_attn_type = CONTEXT, int(flash)
    context = lib.llama_init_from_model(model, context_params)
    yield context
    lib.llama_free(context)
    lib.llama_model_free(model)


def tiny_experts(experts: int, used: int) -> TinyModel:
    """A qwen3moe model of the same widths as `tiny_llama`."""
    model = tiny_llama()
    own = {
        f"qwen3moe.{key.split('.', 1)[1]}": value for key, value in model.metadata.items() if key.startswith("llama")
    }
    kept = {key: value for key, value in model.metadata.items() if not key.startswith("llama")}
    model.metadata = kept | own
    model.metadata |= {
        "qwen3moe.expert_count": experts,
        "qwen3moe.expert_used_count": used,
        "qwen3moe.expert_feed_forward_length": WIDTH,
    }
    model.architecture = "qwen3moe"
    for layer in range(LAYERS):
        for name in ("gate", "up", "down"):
            del model.tensors[f"blk.{layer}.ffn_{name}.weight"]
            model.tensors[f"blk.{layer}.ffn_{name}_exps.weight"] = np.zeros((experts, WIDTH, WIDTH), np.float32)
        model.tensors[f"blk.{layer}.ffn_gate_inp.weight"] = np.zeros((experts, WIDTH), np.float32)
        for name in ("q", "k"):
            model.tensors[f"blk.{layer}.attn_{name}_norm.weight"] = np.ones(16, np.float32)
    return model


def of(cost: GraphCost, kind: str, part: str) -> list[Operation]:
    return [operation for operation in cost.operations if (operation.kind, operation.part) == (kind, part)]


@pytest.mark.parametrize("flash", [True, False])
def test_weights_and_attention_of_a_dense_model_are_those_of_its_shapes(tmp_path: Path, *, flash: bool) -> None:
    with dry_context(tiny_llama().write(tmp_path / "m.gguf"), flash=flash) as context:
        one, many = (read_graph(context, tokens=tokens) for tokens in (1, 32))
    assert (one.tokens, one.context_tokens, many.tokens) == (1, CONTEXT, 32)
    attention = WIDTH * (WIDTH + WIDTH // 2 + WIDTH // 2 + WIDTH)
    ffn = 3 * WIDTH * 2 * WIDTH
    for cost in (one, many):
        for part, elements in (("attention", attention), ("ffn", ffn)):
            operations = of(cost, "weights", part)
            assert [operation.layer for operation in operations] == [0, 1]
            assert {operation.read_bytes for operation in operations} == {4 * elements}
            # Behind its attention the last block goes on with the wanted rows only.
            assert operations[0].flops == 2 * elements * cost.tokens
            assert {operation.weight_type for operation in operations} == {"F32"}
        (output,) = of(cost, "weights", "output")
        # One row is asked for, however long the call.
        assert (output.layer, output.flops) == (LAYERS, 2 * WIDTH * len(TOKENS))
        (embedding,) = of(cost, "other", "embedding")
        assert (embedding.layer, embedding.read_bytes) == (-1, 4 * WIDTH * cost.tokens)
        for operation in of(cost, "attention", "attention"):
            assert operation.cells == CONTEXT
            assert operation.read_bytes == 2 * CONTEXT * (WIDTH // 2) * 2
            assert operation.flops == 2 * 2 * CONTEXT * WIDTH * cost.tokens


def test_expected_distinct_experts_are_read(tmp_path: Path) -> None:
    with dry_context(tiny_experts(experts=8, used=2).write(tmp_path / "m.gguf")) as context:
        one, many = (read_graph(context, tokens=tokens) for tokens in (1, 4))
    each = 3 * 4 * WIDTH * WIDTH
    assert [operation.read_bytes for operation in of(one, "experts", "experts")] == pytest.approx([2 * each] * LAYERS)
    hit = 8 * (1 - 0.75**4)
    assert of(many, "experts", "experts")[0].read_bytes == pytest.approx(hit * each)
    assert of(many, "experts", "experts")[0].flops == 2 * 3 * WIDTH * WIDTH * 2 * 4


def test_recurrent_states_are_read_and_written_once_for_a_call(tmp_path: Path) -> None:
    with dry_context(tiny_mamba().write(tmp_path / "m.gguf")) as context:
        mamba = read_graph(context, tokens=8)
    with dry_context(tiny_hybrid().write(tmp_path / "h.gguf")) as context:
        hybrid = read_graph(context, tokens=8)
    assert not of(mamba, "attention", "attention")
    state = 16 * 2 * WIDTH
    scans = of(mamba, "other", "attention")
    assert [(scan.layer, scan.read_bytes, scan.flops) for scan in scans] == [
        (layer, 2 * 4 * state, 6 * state * 8) for layer in range(2)
    ]
    assert [operation.layer for operation in of(hybrid, "attention", "attention")] == [1, 3]
    delta = [scan.flops for scan in of(hybrid, "other", "attention")]
    assert delta and delta[0] == 6 * (32 * 32 * 4) * 8


def test_scratch_memory_without_flash_attention_grows_with_context_and_batch(tmp_path: Path) -> None:
    path = tiny_llama().write(tmp_path / "m.gguf")
    with dry_context(path, flash=False) as context:
        assert work_bytes(context, tokens=256, outputs=1, threads=2) >= CONTEXT * 256 * 4 * 2
    with dry_context(path, flash=True) as context:
        few = work_bytes(context, tokens=256, outputs=1, threads=1)
        assert 0 < few < work_bytes(context, tokens=256, outputs=1, threads=8)


def test_the_numbers_of_operations_are_those_of_this_engine() -> None:
    assert base.ggml_op_name(OPERATIONS - 1) == b"GLU"
    kinds = operation_kinds()
    assert sum(kind == WORKING for kind in kinds) == 10
    assert {base.ggml_op_name(number) for number in range(OPERATIONS) if kinds[number] == 0} == {
        *(b"NONE", b"RESHAPE", b"VIEW", b"PERMUTE", b"TRANSPOSE")
    }


def test_a_large_graph_is_read_in_milliseconds(tmp_path: Path) -> None:
    with dry_context(tiny_llama(layers=60, width=32).write(tmp_path / "m.gguf")) as context:
        read_graph(context, tokens=1)
        began = time.process_time()
        cost = read_graph(context, tokens=1)
        spent = time.process_time() - began
    assert sum(operation.nodes for operation in cost.operations) > 900
    # Six times what it takes on an idle machine.
    assert spent < 0.05
