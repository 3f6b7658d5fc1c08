"""Repositories and addresses are told from words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gui.discover.pasted import recognise


@pytest.mark.parametrize(
    "text",
    [
        "Qwen/Qwen3-8B-GGUF",
        "  Qwen/Qwen3-8B-GGUF:Q4_K_M ",
        "a/b:file.gguf",
        "hf.co/Qwen/Qwen3-8B-GGUF:Q8_0",
        "huggingface.co/unsloth/Qwen3-8B-GGUF/tree/main",
        "https://huggingface.co/unsloth/Qwen3-8B-GGUF",
        "www.modelscope.cn/models/Qwen/Qwen3-8B-GGUF",
        "https://modelscope.cn/models/Qwen/Qwen3-8B-GGUF/files",
        "https://example.org/a/model.Q4_K_M.gguf?download=true",
    ],
)
def test_what_is_copied_from_a_hub_is_recognised(text: str) -> None:
    pasted = recognise(text)
    assert pasted is not None and pasted.text == text.strip()
    assert pasted.is_file == ("example.org" in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "qwen3",
        "千问 8b",
        "qwen/ 8b",
        "对话/编程",
        "ability:vision",
        "<=8b",
        "https://",
        "https://a",
        "a/b/c",
        "../x",
    ],
)
def test_words_are_searched_for(text: str) -> None:
    assert recognise(text) is None


@given(st.text(max_size=600))
def test_it_never_raises(text: str) -> None:
    pasted = recognise(text)
    assert pasted is None or "/" in pasted.text
