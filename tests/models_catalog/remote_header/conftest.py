"""A hub with a model in several quantizations, and headers with vocabularies of a real size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from models_catalog.gguf.parsing import ValueType
from models_catalog.gguf.tensor_types import TENSOR_TYPES
from tests.models_catalog.gguf.gguf_bytes import ALIGNMENT, GgufPieces, Weight
from tests.models_catalog.gguf.hostile import sound_models
from tests.models_catalog.hub_server import ModelHub, Stored

Q8_0, F16, F32 = 8, 1, 0


@pytest.fixture
def model_hub() -> Iterator[ModelHub]:
    server = ModelHub()
    yield server
    server.close()


def with_large_vocabulary(pieces: GgufPieces, tokens: int) -> GgufPieces:
    """A sound model with so many more tokens; the header grows by some 30 bytes for each."""
    present = pieces.value("tokenizer.ggml.tokens")
    added = tuple(f"token{number:010}".encode() for number in range(tokens))
    types = (*pieces.value("tokenizer.ggml.token_type"), *(1 for _ in added))
    count = len(present) + len(added)
    pieces = pieces.with_value("tokenizer.ggml.tokens", (*present, *added))
    pieces = pieces.with_value("tokenizer.ggml.token_type", types)
    if pieces.has(key := f"{pieces.value('general.architecture').decode()}.vocab_size"):
        pieces = pieces.with_value(key, count)
    for name in ("token_embd.weight", "output.weight"):
        pieces = pieces.with_weight(name, shape=(pieces.weight(name).shape[0], count))
    return pieces


def quantized(pieces: GgufPieces, kind: int, *, name: str, file_type: int) -> GgufPieces:
    """The same model with matrices of another type; the file type stands behind the vocabulary, as in real files."""
    pieces = pieces.without("general.file_type").with_value("general.name", name.encode())
    weights = (
        replace(weight, type=kind) if len(weight.shape) > 1 and "norm" not in weight.name.decode() else weight
        for weight in pieces.weights
    )
    return replace(pieces, weights=tuple(weights)).with_pair("general.file_type", ValueType.UINT32, file_type)


def stored(pieces: GgufPieces) -> Stored:
    """The file with its true offsets and length, but with zeros for weights."""
    offset, placed = 0, []
    for weight in pieces.weights:
        placed.append(replace(weight, data=b"", offset=offset))
        offset += size_of(weight)
        size_bytes, offset = offset, offset + -offset % ALIGNMENT
    head = replace(pieces, weights=tuple(placed)).encode()
    return Stored(head=head, size_bytes=len(head) + (size_bytes if placed else 0))


def size_of(weight: Weight) -> int:
    """Bytes of a weight's data."""
    kind = TENSOR_TYPES[weight.type]
    elements = 1
    for length in weight.shape:
        elements *= length
    return elements // kind.block_elements * kind.block_bytes


@pytest.fixture(scope="session")
def base_model() -> GgufPieces:
    """A qwen2 with a header of 1.6 MB."""
    return with_large_vocabulary(sound_models()["qwen2"], 60_000)


@pytest.fixture(scope="session")
def medium_model() -> GgufPieces:
    """A qwen2 with a header of 80 KB, of which a sibling's reader sees a part."""
    return with_large_vocabulary(sound_models()["qwen2"], 3_000)


@pytest.fixture(scope="session")
def small_model() -> GgufPieces:
    """A qwen2 with a header of a few KB."""
    return sound_models()["qwen2"]
