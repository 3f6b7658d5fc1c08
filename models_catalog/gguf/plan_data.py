"""Plan data: a GGUF header without its vocabulary, which is all that planning needs, in a few KB.

A plan made from it equals that of the whole file: llama.cpp takes `tokenizer.ggml.model = "none"` with a number of
tokens in place of the vocabulary, and allocates the same. What the vocabulary itself takes is told by our own keys.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from models_catalog.errors import GgufHeaderBroken
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.encoding import encode_header
from models_catalog.gguf.header import GgufHeader, parse_header
from models_catalog.gguf.parsing import DEFAULT_ALIGNMENT, TensorInfo, Value, ValueType

VOCABULARY_TOKENS = "liangli.vocabulary_tokens"
VOCABULARY_MERGES = "liangli.vocabulary_merges"
VOCABULARY_TEXT_BYTES = "liangli.vocabulary_text_bytes"
FILE_BYTES = "liangli.file_bytes"
ORIGIN = "liangli.origin"

# A model of a thousand experts' worth of layers has 100 KB; compressed it is a tenth.
MAX_PLAN_DATA_BYTES = 8 * 1024 * 1024
_MAX_TEXT = 256
_COUNTS = (VOCABULARY_TOKENS, VOCABULARY_MERGES, VOCABULARY_TEXT_BYTES, FILE_BYTES)
_MODEL = "tokenizer.ggml.model"
_DROPPED = ("tokenizer.", "split.", "liangli.")
# Besides the architecture's own keys; the last group belongs to activations that llama.cpp names without a prefix.
_KEPT = (
    "general.architecture",
    "general.type",
    "general.alignment",
    "general.file_type",
    "adapter.type",
    "tokenizer.ggml.token_type_count",
)
_KEPT_TEXTS = ("general.name", "general.size_label", "general.license")
_KEPT_GROUPS = ("xielu.",)


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularySize:
    """How large the vocabulary of a model is: what its objects take in memory follows from these counts."""

    tokens: int
    merges: int
    text_bytes: int


def plan_data(header: GgufHeader, *, file_bytes: int | None = None, origin: str = "") -> bytes:
    """A valid GGUF header of the same model without vocabulary and descriptions, uncompressed. Equal headers give equal
    bytes; plan data of plan data is itself.

    header: of the whole model (for split models with the tensors of all files, as `screen` returns it).
    file_bytes: of all the model's files; by default what the header knows. origin: where the header came from.
    Raises GgufHeaderBroken when tensors are missing or the result would be larger than MAX_PLAN_DATA_BYTES.
    """
    _check_complete(header)
    size = vocabulary_size(header)
    values = {key: _clipped(key, value) for key, value in header.values.items() if _is_kept(header, key)}
    types = {key: header.value_types[key] for key in values}

    def add(key: str, value: int | str, value_type: ValueType) -> None:
        values[key], types[key] = value, value_type

    add(_MODEL, "none", ValueType.STRING)
    if (tokens := header.vocabulary_size) is not None:
        add(f"{header.architecture}.vocab_size", _u32(header, tokens), ValueType.UINT32)
    add(VOCABULARY_TOKENS, _u32(header, size.tokens), ValueType.UINT32)
    add(VOCABULARY_MERGES, _u32(header, size.merges), ValueType.UINT32)
    add(VOCABULARY_TEXT_BYTES, size.text_bytes, ValueType.UINT64)
    add(FILE_BYTES, model_file_bytes(header) if file_bytes is None else file_bytes, ValueType.UINT64)
    add(ORIGIN, origin or header.text(ORIGIN) or "", ValueType.STRING)
    alignment = header.integer("general.alignment") or DEFAULT_ALIGNMENT
    raw = encode_header(values, types, _contiguous(header.tensors.values(), alignment), alignment=alignment)
    if len(raw) > MAX_PLAN_DATA_BYTES:
        raise GgufHeaderBroken(header.path, f"{len(raw)} bytes of hyper-parameters and tensors")
    return raw


def read_plan_data(raw: bytes, path: str) -> GgufHeader:
    """The header that `plan_data` wrote. `path` is for errors and for its name.

    needed_bytes and size_bytes are those of the file that this header would begin; the size of the model's real files
    is `model_file_bytes`. Raises leaves of ModelFileRefused; hyper-parameters are not judged (see `screen_plan_data`).
    """
    if len(raw) > MAX_PLAN_DATA_BYTES:
        raise GgufHeaderBroken(path, f"plan data of {len(raw)} bytes")
    header = parse_header(io.BytesIO(raw).read, size_bytes=len(raw), path=path)
    if header.data_offset != len(raw):
        raise GgufHeaderBroken(path, f"plan data of {len(raw)} bytes whose header has {header.data_offset}")
    if header.text(_MODEL) != "none" or any((header.integer(key) or 0) < 0 for key in _COUNTS):
        raise GgufHeaderBroken(path, "no plan data")
    if any(header.integer(key) is None for key in _COUNTS):
        raise GgufHeaderBroken(path, "plan data without the vocabulary's size")
    return replace(header, size_bytes=header.needed_bytes)


def sparse_size(raw: bytes) -> int:
    """Length that a file with this header must have so that llama.cpp believes that all weights are in it."""
    return read_plan_data(raw, "").size_bytes


def vocabulary_size(header: GgufHeader) -> VocabularySize:
    """Of a real header as of plan data."""
    tokens, merges = header.values.get("tokenizer.ggml.tokens"), header.values.get("tokenizer.ggml.merges")
    if isinstance(tokens, StringArray):
        pairs = merges if isinstance(merges, StringArray) else None
        return VocabularySize(
            tokens=len(tokens),
            merges=len(pairs) if pairs is not None else 0,
            text_bytes=tokens.text_bytes + (pairs.text_bytes if pairs is not None else 0),
        )
    return VocabularySize(
        tokens=header.integer(VOCABULARY_TOKENS) or 0,
        merges=header.integer(VOCABULARY_MERGES) or 0,
        text_bytes=header.integer(VOCABULARY_TEXT_BYTES) or 0,
    )


def model_file_bytes(header: GgufHeader) -> int:
    """Size of all the model's files; of a split model's real header only when its tensors' bytes say so, without the
    other files' own headers.
    """
    if (told := header.integer(FILE_BYTES)) is not None and header.text(_MODEL) == "none":
        return told
    return max(header.size_bytes, header.data_offset + header.weight_bytes)


def compress(raw: bytes) -> bytes:
    """For storing; 2 to 10 KB for real models."""
    return zlib.compress(raw, 9)


def decompress(stored: bytes, path: str) -> bytes:
    """The way back of `compress`; never makes more than MAX_PLAN_DATA_BYTES of it. Raises GgufHeaderBroken."""
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(stored, MAX_PLAN_DATA_BYTES)
    except zlib.error as error:
        raise GgufHeaderBroken(path, f"plan data that does not inflate: {error}") from error
    if not inflater.eof or inflater.unused_data:
        raise GgufHeaderBroken(path, "plan data that is cut off, too large or followed by something")
    return raw


def _check_complete(header: GgufHeader) -> None:
    expected = header.integer("split.tensors.count") if header.shard_count > 1 else None
    if expected is not None and expected != len(header.tensors):
        raise GgufHeaderBroken(header.path, f"{len(header.tensors)} of {expected} tensors of a model in parts")


def _is_kept(header: GgufHeader, key: str) -> bool:
    if key in _KEPT or key in _KEPT_TEXTS:
        return True
    if key.startswith(_DROPPED) or key == f"{header.architecture}.vocab_size":
        return False
    return key.startswith((f"{header.architecture}.", *_KEPT_GROUPS))


def _clipped(key: str, value: Value) -> Value:
    return value[:_MAX_TEXT] if key in _KEPT_TEXTS and isinstance(value, str) else value


def _u32(header: GgufHeader, count: int) -> int:
    if not 0 <= count < 1 << 32:
        raise GgufHeaderBroken(header.path, f"a vocabulary of {count} tokens")
    return count


def _contiguous(tensors: Iterable[TensorInfo], alignment: int) -> list[TensorInfo]:
    placed: list[TensorInfo] = []
    offset = 0
    for tensor in tensors:
        placed.append(replace(tensor, offset_bytes=offset))
        offset += tensor.size_bytes + -tensor.size_bytes % alignment
    return placed
