"""What the llama.cpp of this version can load, from `resources/gguf/llama_cpp.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCppFacts:
    """Names as they stand in GGUF files.

    other_kinds: architectures that cannot chat → their kind (see NotChatModel).
    equal_head_lengths: architectures whose keys and values of a head are equally long.
    whole_head_rotated: architectures that apply the rotary embedding to a whole head.
    """

    chat_architectures: frozenset[str]
    other_kinds: dict[str, str]
    equal_head_lengths: frozenset[str]
    whole_head_rotated: frozenset[str]
    pre_tokenizers: frozenset[str]


@lru_cache(maxsize=1)
def llama_cpp_facts() -> LlamaCppFacts:
    """The facts, read once."""
    table = tomllib.loads(resources.path("gguf", "llama_cpp.toml").read_text(encoding="utf-8"))
    return LlamaCppFacts(
        chat_architectures=frozenset(table["chat"]),
        other_kinds={name: kind for kind, names in table["other"].items() for name in names},
        equal_head_lengths=frozenset(table["equal_head_lengths"]),
        whole_head_rotated=frozenset(table["whole_head_rotated"]),
        pre_tokenizers=frozenset(table["pre_tokenizers"]),
    )
