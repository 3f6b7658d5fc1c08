"""Is the vocabulary one that llama.cpp builds and uses without asserting?"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NoReturn

from models_catalog.errors import TokenizerRefused
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.llama_cpp_facts import llama_cpp_facts
from models_catalog.gguf.parsing import ValueType

MAX_TOKENS = 1 << 20
MAX_MERGES = 1 << 21
MAX_MERGE_BYTES = 8192
MAX_TOKEN_CHARACTERS = 4096
# "bert" and "t5" vocabularies belong to encoders; "none" has no text at all.
_BYTE_PAIR_MODELS = ("gpt2", "gemma4")
_MODELS = (*_BYTE_PAIR_MODELS, "llama", "rwkv", "plamo2")
_BYTE_TYPE = 6
_BYTE_TOKEN = re.compile(rb"<0x[0-9A-Fa-f]{2}>")
_SPECIAL_IDS = ("bos", "eos", "eot", "eom")
_PREFIX = "tokenizer.ggml."


def check_tokenizer(header: GgufHeader) -> None:
    """Raises TokenizerRefused."""
    model = header.text(f"{_PREFIX}model")
    if model not in _MODELS:
        _refuse(header, f"tokenizer model {(model or '')[:40]!r}")
    pre = header.text(f"{_PREFIX}pre")
    if model == "gpt2" and pre and pre not in llama_cpp_facts().pre_tokenizers:
        _refuse(header, f"pre-tokenizer {pre[:40]!r}")
    tokens = header.values.get(f"{_PREFIX}tokens")
    if not isinstance(tokens, StringArray):
        raise TokenizerRefused(header.path, "no tokens")
    spelled = _check_tokens(header, tokens)
    types = _numbers(header, "token_type", (ValueType.INT32,), len(tokens))
    if types is not None:
        _check_types(header, tokens, types, model or "")
    scores = _numbers(header, "scores", (ValueType.FLOAT32, ValueType.INT32), len(tokens))
    if scores is not None and math.isnan(sum(scores)) and any(map(math.isnan, scores)):
        _refuse(header, "a score that is no number")
    _check_special_ids(header, len(tokens))
    _check_merges(header, model or "", pre)
    if model in ("llama", "plamo2"):
        _check_bytes_covered(header, spelled)
    if model == "rwkv" and not spelled & {"\n", "\\n", "\\x0a", "\\x0A"}:
        _refuse(header, "no newline token")


def _refuse(header: GgufHeader, problem: str) -> NoReturn:
    raise TokenizerRefused(header.path, problem)


def _check_tokens(header: GgufHeader, tokens: StringArray) -> set[str]:
    """The tokens as a set. llama.cpp asserts that they are unique as it sees them: each up to its first zero byte, and
    empty ones under the name [EMPTY_<id>].
    """
    if not 0 < len(tokens) <= MAX_TOKENS:
        _refuse(header, f"{len(tokens)} tokens")
    try:
        texts = list(map(bytes.decode, tokens.all_raw()))
    except UnicodeDecodeError:
        _refuse(header, "a token that is no UTF-8")
    longest = max(map(len, texts))
    if longest > MAX_TOKEN_CHARACTERS:
        _refuse(header, f"a token of {longest} characters")
    if "\0" in "".join(texts):
        texts = [text.partition("\0")[0] for text in texts]
    seen = set(texts)
    if "" in seen:
        seen = {text or f"[EMPTY_{index}]" for index, text in enumerate(texts)}
    if len(seen) != len(tokens):
        _refuse(header, f"{len(tokens) - len(seen)} tokens stand twice in the vocabulary")
    return seen


def _numbers(
    header: GgufHeader, name: str, allowed: tuple[ValueType, ...], count: int
) -> Sequence[int] | Sequence[float] | None:
    value = header.values.get(f"{_PREFIX}{name}")
    if value is None:
        return None
    if isinstance(value, bool | int | float | str | StringArray):
        raise TokenizerRefused(header.path, f"{name} is no array of numbers")
    if header.value_types[f"{_PREFIX}{name}"] not in allowed or len(value) != count:
        raise TokenizerRefused(header.path, f"{name} has {len(value)} elements for {count} tokens")
    return value


def _check_types(header: GgufHeader, tokens: StringArray, types: Sequence[float], model: str) -> None:
    found = set(types)
    if odd := [token_type for token_type in found if not 0 <= token_type <= _BYTE_TYPE]:
        _refuse(header, f"tokens of type {odd[0]}")
    if _BYTE_TYPE not in found:
        return
    for index, token_type in enumerate(types):
        # Byte tokens are read as "<0xHH>"; the byte-level vocabularies of GPT-2's kind have none, and asking aborts.
        if token_type == _BYTE_TYPE and (model == "gpt2" or not _BYTE_TOKEN.fullmatch(tokens.raw(index))):
            _refuse(header, f"token {index} is of the byte type but names no byte")


def _check_special_ids(header: GgufHeader, count: int) -> None:
    for name in _SPECIAL_IDS:
        key = f"{_PREFIX}{name}_token_id"
        value = header.integer(key)
        if key in header.values and (value is None or not 0 <= value < count):
            _refuse(header, f"{name}_token_id is {value} of {count} tokens")


def _check_merges(header: GgufHeader, model: str, pre: str | None) -> None:
    merges = header.values.get(f"{_PREFIX}merges")
    if merges is None:
        if model in _BYTE_PAIR_MODELS and pre != "kimi-k2":
            _refuse(header, "no merges")
        return
    if not isinstance(merges, StringArray) or len(merges) > MAX_MERGES:
        raise TokenizerRefused(header.path, "merges are no strings or too many")
    for index, raw in enumerate(merges.all_raw()):
        if raw.find(b" ", 1) < 0 or len(raw) > MAX_MERGE_BYTES:
            _refuse(header, f"merge {index} is no pair")


def _check_bytes_covered(header: GgufHeader, spelled: set[str]) -> None:
    """Characters outside the vocabulary are spelled in bytes; where a byte has no token, llama.cpp throws."""
    for byte in range(256):
        if f"<0x{byte:02X}>" not in spelled and chr(byte) not in spelled:
            _refuse(header, f"no token for byte {byte:02X}")
