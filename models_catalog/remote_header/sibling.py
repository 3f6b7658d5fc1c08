"""The header of another quantization of a model whose header is known: under 100 KB in two requests.

Siblings share keys and vocabulary; only a few descriptions and the weights' types differ. So the beginning is read,
with the hyper-parameters, and a window around the place where the weights' descriptions must be. Where anything is not
exactly as in the known header the answer is None, and the header is to be read whole.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

from models_catalog.errors import ModelFileRefused
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.encoding import encode_tensor_info
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import (
    DEFAULT_ALIGNMENT,
    MAX_KEY_BYTES,
    ParsedKeys,
    ParsedTensors,
    TensorInfo,
    Value,
    ValueType,
    parse_keys,
    parse_tensors,
)
from models_catalog.gguf.source import HeaderGoesOn
from models_catalog.remote_header.distant_file import DistantFile
from models_catalog.remote_header.values import Pattern
from models_catalog.remote_header.whole import Beginning

# How much longer a sibling's descriptions may be before its hyper-parameters end.
_HEAD_SLACK_BYTES = 2 * 1024
# Behind the vocabulary quantizers write what they did: a few hundred bytes that differ between siblings.
_WINDOW_SLACK_BYTES = 4 * 1024
_FILE_TYPE = "general.file_type"
_TYPE_AND_OFFSET_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The weights' descriptions and where in the file they begin; file_type: None where it was not seen."""

    parsed: ParsedTensors
    offset: int
    file_type: int | None


async def read_sibling(file: DistantFile, pattern: Pattern, path: str, *, in_parts: bool) -> GgufHeader | None:
    """The header as plan data has it: with the pattern's keys and this file's tensors, which are all of the pattern's,
    or the first ones when the file is the first of a model `in_parts`. None if the file is no plain sibling.

    `path` is for its name. Raises a SourceFault.
    """
    keys = await _read_keys(file, pattern, path)
    if keys is None or not _same_model(keys, pattern):
        return None
    expected = len(pattern.header.tensors)
    if keys.tensor_count > expected or (keys.tensor_count != expected and not in_parts):
        return None
    found = await _find_tensors(file, pattern, keys) if keys.tensor_count else None
    if keys.tensor_count and (found is None or not _same_tensors(found.parsed.tensors, pattern.header.tensors)):
        return None
    if found is not None and not _fills_file(found, _alignment(pattern), file.size_bytes or 0):
        return None
    values, types = _values(keys, pattern, found.file_type if found else None)
    return replace(
        pattern.header,
        path=path,
        values=values,
        value_types=types,
        tensors=found.parsed.tensors if found else {},
        size_bytes=file.size_bytes or 0,
    )


async def _read_keys(file: DistantFile, pattern: Pattern, path: str) -> ParsedKeys | None:
    head = await file.read(0, pattern.hyperparameters_end + _HEAD_SLACK_BYTES)
    size_bytes = file.size_bytes or 0
    try:
        return parse_keys(Beginning(head, size_bytes).read, size_bytes=size_bytes, path=path)
    except (ModelFileRefused, HeaderGoesOn):
        return None


def _same_model(keys: ParsedKeys, pattern: Pattern) -> bool:
    """True if the architecture's own keys are all there and all the same."""
    known = pattern.header
    prefix, counted = f"{known.architecture}.", f"{known.architecture}.vocab_size"

    def own(values: Mapping[str, Value], types: Mapping[str, ValueType]) -> dict[str, object]:
        chosen = (key for key in values if key.startswith(prefix) and key != counted)
        return {key: (types[key], _comparable(values[key])) for key in chosen}

    return keys.values.get("general.architecture") == known.architecture and own(keys.values, keys.value_types) == own(
        known.values, known.value_types
    )


def _comparable(value: Value) -> object:
    if isinstance(value, StringArray):
        return tuple(value.all_raw())
    return value if isinstance(value, str | int | float) else tuple(value)


async def _find_tensors(file: DistantFile, pattern: Pattern, keys: ParsedKeys) -> _Found | None:
    known = tuple(islice(pattern.header.tensors.values(), keys.tensor_count))
    infos = [encode_tensor_info(tensor) for tensor in known]
    shift = _hyperparameters_end(keys, pattern) - pattern.hyperparameters_end
    expected_at = pattern.tensors_offset + shift
    start = max(0, expected_at - _WINDOW_SLACK_BYTES)
    window = await file.read(start, expected_at + sum(map(len, infos)) + _WINDOW_SLACK_BYTES)
    at = window.find(infos[0][:-_TYPE_AND_OFFSET_BYTES])
    if at < 0 or _has_own_key(window[:at], pattern.header.architecture):
        return None
    try:
        parsed = parse_tensors(window[at:], count=keys.tensor_count, alignment=_alignment(pattern), path="")
    except ModelFileRefused:
        return None
    return _Found(parsed=parsed, offset=start + at, file_type=_file_type(window[:at]))


def _hyperparameters_end(keys: ParsedKeys, pattern: Pattern) -> int:
    prefix = f"{pattern.header.architecture}."
    return max((end for key, end in keys.value_ends.items() if key.startswith(prefix)), default=0)


def _alignment(pattern: Pattern) -> int:
    return pattern.header.integer("general.alignment") or DEFAULT_ALIGNMENT


def _has_own_key(before_tensors: bytes, architecture: str) -> bool:
    """True if a hyper-parameter stands behind the vocabulary, which the pattern cannot vouch for."""
    prefix = f"{architecture}.".encode()
    at = before_tensors.find(prefix)
    while at >= 0:
        if len(prefix) < int.from_bytes(before_tensors[max(0, at - 8) : at], "little") <= MAX_KEY_BYTES:
            return True
        at = before_tensors.find(prefix, at + 1)
    return False


def _file_type(before_tensors: bytes) -> int | None:
    """The value of general.file_type where quantizers write it, between vocabulary and weights."""
    name = _FILE_TYPE.encode()
    needle = struct.pack("<Q", len(name)) + name + struct.pack("<I", ValueType.UINT32)
    at = before_tensors.rfind(needle)
    raw = before_tensors[at + len(needle) : at + len(needle) + 4]
    return int.from_bytes(raw, "little") if at >= 0 and len(raw) == 4 else None


def _same_tensors(found: Mapping[str, TensorInfo], known: Mapping[str, TensorInfo]) -> bool:
    return all(name in known and tensor.shape == known[name].shape for name, tensor in found.items())


def _fills_file(found: _Found, alignment: int, size_bytes: int) -> bool:
    """True if the weights end where the file ends, but for padding."""
    data_offset = found.offset + found.parsed.info_bytes
    data_offset += -data_offset % alignment
    return 0 <= size_bytes - data_offset - found.parsed.data_bytes < alignment


def _values(keys: ParsedKeys, pattern: Pattern, file_type: int | None) -> tuple[dict[str, Value], dict[str, ValueType]]:
    """The pattern's keys with this file's own descriptions in place of the pattern's."""
    known, known_types = pattern.header.values, pattern.header.value_types
    # In the order of this file, so that the same plan data comes out as from its whole header.
    kept = [key for key in keys.values if key.startswith("general.") or key in known]
    values = {key: keys.values[key] for key in kept}
    types = {key: keys.value_types[key] for key in kept}
    if file_type is not None and _FILE_TYPE not in values:
        values[_FILE_TYPE], types[_FILE_TYPE] = file_type, ValueType.UINT32
    for key, value in known.items():
        if not key.startswith("general.") or key == "general.alignment":
            values[key], types[key] = value, known_types[key]
    return values, types
