"""The list of architectures belongs to the engine that is installed."""

from __future__ import annotations

from pathlib import Path

import llama_cpp

from models_catalog.gguf.llama_cpp_facts import llama_cpp_facts


def test_architectures_are_known_to_the_engine() -> None:
    folder = Path(llama_cpp.__file__).parent / "lib"
    library = next(path for path in folder.glob("*llama.*") if path.suffix != ".lib").read_bytes()
    facts = llama_cpp_facts()
    for name in (*facts.chat_architectures, *facts.other_kinds):
        # Short names may be stored as numbers in the code instead of as text.
        assert len(name) < 8 or name.encode() in library, name


def test_lists_do_not_contradict_each_other() -> None:
    facts = llama_cpp_facts()
    assert not facts.chat_architectures & facts.other_kinds.keys()
    assert facts.equal_head_lengths <= facts.chat_architectures
    assert facts.whole_head_rotated <= facts.chat_architectures
    assert {"llama", "qwen2", "qwen3", "qwen35", "deepseek2", "glm4moe", "rwkv7"} <= facts.chat_architectures
    assert {"qwen2", "llama-bpe", "deepseek-v3", "kimi-k2"} <= facts.pre_tokenizers
