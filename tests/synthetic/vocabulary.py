"""A byte-level vocabulary of any size, spelled by our own rule: as many objects in memory as a real one has."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.parsing import Value, ValueType
from models_catalog.gguf.plan_data import VocabularySize
from tests.tiny_models import CHATML, TOKENS

_CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_NORMAL_TYPE, _CONTROL_TYPE = 1, 3
_LETTERS = "etaoinsrhldcumfpgwybvkxjqz"
# Words of these are as long as real ones: most merges are too long for a string's own 15 bytes.
_SYLLABLES = tuple(f"{letter}{vowel}{letter}" for letter, vowel in zip(_LETTERS, "aeiou" * 6, strict=False))
_PREFIX = "tokenizer.ggml."


def byte_level(size: VocabularySize) -> tuple[dict[str, Value], dict[str, ValueType]]:
    """Key-values of a gpt2 vocabulary with `size.tokens` tokens and `size.merges` merges (at least one)."""
    plain = TOKENS[:256]
    words = _words(size.tokens - len(plain) - len(_CONTROL))
    tokens = [*plain, *words, *_CONTROL]
    merges = [f"{word[:-3]} {word[-3:]}" for word in words[: size.merges]] or ["e t"]
    merges += [f"{word} {letter}" for word, letter in _pairs(words, size.merges - len(merges))]
    end = len(tokens)
    values: dict[str, Value] = {
        f"{_PREFIX}model": "gpt2",
        f"{_PREFIX}pre": "qwen2",
        f"{_PREFIX}tokens": string_array(tokens),
        f"{_PREFIX}token_type": [_NORMAL_TYPE] * (end - len(_CONTROL)) + [_CONTROL_TYPE] * len(_CONTROL),
        f"{_PREFIX}merges": string_array(merges),
        f"{_PREFIX}bos_token_id": end - 3,
        f"{_PREFIX}eos_token_id": end - 1,
        f"{_PREFIX}add_bos_token": False,
        "tokenizer.chat_template": CHATML,
    }
    types = {
        key: ValueType.BOOL
        if isinstance(value, bool)
        else ValueType.UINT32
        if isinstance(value, int)
        else ValueType.STRING
        for key, value in values.items()
    }
    types[f"{_PREFIX}token_type"] = ValueType.INT32
    return values, types


def string_array(texts: Iterable[str]) -> StringArray:
    """As it would lie in a file."""
    data, ends = bytearray(), array("Q")
    for text in texts:
        raw = text.encode()
        data += len(raw).to_bytes(8, "little") + raw
        ends.append(len(data))
    return StringArray(bytes(data), ends)


def _words(count: int) -> list[str]:
    """Different words of two syllables and more, each a shorter one and a syllable."""
    words: list[str] = []
    stems: list[str] = list(_SYLLABLES)
    while len(words) < count:
        longer = [stem + syllable for stem in stems for syllable in _SYLLABLES][: count - len(words)]
        words += longer
        stems = longer
    return words


def _pairs(words: list[str], count: int) -> Iterator[tuple[str, str]]:
    pairs = ((word, letter.upper()) for letter in _LETTERS for word in words)
    return (pair for pair, _ in zip(pairs, range(max(0, count)), strict=False))
