"""The tiny models are what the other tests take them for: llama.cpp loads them and generates, always the same."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.backends.llama_cpp.library import lib as llama_cpp
from tests.tiny_models import (
    TOKENS,
    token_id,
    write_tiny_hybrid,
    write_tiny_llama,
    write_tiny_mamba,
    write_tiny_qwen2,
)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _silent(_level: int, _text: bytes, _data: object) -> None:
    pass


def _greedy(path: Path, prompt: bytes, count: int) -> tuple[list[int], list[int], bool]:
    """Prompt tokens, greedy continuation, and whether the tail of the sequence could be removed afterwards."""
    llama_cpp.llama_log_set(_silent, None)
    parameters = llama_cpp.llama_model_default_params()
    # An empty list: without one every accelerator would be used, also the virtual ones of other tests.
    no_devices = (ctypes.c_void_p * 1)(None)
    parameters.devices = ctypes.cast(no_devices, ctypes.c_void_p)
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    assert model
    context_parameters = llama_cpp.llama_context_default_params()
    context_parameters.n_ctx = 128
    context_parameters.n_threads = context_parameters.n_threads_batch = 1
    context = llama_cpp.llama_init_from_model(model, context_parameters)
    vocabulary = llama_cpp.llama_model_get_vocab(model)
    buffer = (llama_cpp.llama_token * 64)()
    length = llama_cpp.llama_tokenize(vocabulary, prompt, len(prompt), buffer, 64, True, True)
    tokens, answer = list(buffer[:length]), list[int]()
    step = tokens
    for _ in range(count):
        batch = llama_cpp.llama_batch_get_one((llama_cpp.llama_token * len(step))(*step), len(step))
        assert llama_cpp.llama_decode(context, batch) == 0
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, -1), shape=(len(TOKENS),))
        step = [int(logits.argmax())]
        answer += step
    removable = llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(context), 0, length, -1)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return tokens, answer, bool(removable)


@pytest.mark.parametrize(
    ("write", "can_trim"),
    [(write_tiny_llama, True), (write_tiny_qwen2, True), (write_tiny_hybrid, False), (write_tiny_mamba, False)],
)
def test_loads_and_generates(write: Callable[[Path], Path], can_trim: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf")
    assert path.stat().st_size < 2_000_000
    tokens, answer, removable = _greedy(path, "<|im_start|>hello 你好".encode(), 8)
    assert tokens == [token_id("<|im_start|>"), token_id("hello"), token_id("Ġ"), token_id("ä½łå¥½")]
    assert len(set(answer)) > 4
    assert max(answer) < token_id("<|endoftext|>")
    assert removable is can_trim


def test_same_seed_same_text_other_seed_other_text(tmp_path: Path) -> None:
    first, again, other = (
        _greedy(write_tiny_llama(tmp_path / f"{number}.gguf", seed=seed), b"the user", 8)[1]
        for number, seed in enumerate((1, 1, 2))
    )
    assert first == again != other


def test_quantized_weights_load(tmp_path: Path) -> None:
    for weights in ("f16", "q8_0"):
        path = write_tiny_llama(tmp_path / f"{weights}.gguf", weights=weights)
        assert len(_greedy(path, b"hello", 2)[1]) == 2
