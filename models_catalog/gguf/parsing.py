"""Parser of GGUF headers, versions 2 and 3, little-endian.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Stricter than llama.cpp's own reader wherever no real
file is known to need its leniency.
"""

from __future__ import annotations

import contextlib
import io
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, cast

from models_catalog.errors import GgufBigEndian, GgufVersionUnsupported, LegacyGgml, NotGguf
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.source import HeaderGoesOn, HeaderReader
from models_catalog.gguf.tensor_types import TENSOR_TYPES, TensorType

Scalar = int | float | bool | str
Value = Scalar | StringArray | Sequence[int] | Sequence[float]

MAX_KEY_VALUES = 4096
MAX_TENSORS = 65536
MAX_KEY_BYTES = 1024
MAX_TENSOR_NAME_BYTES = 63  # GGML_MAX_NAME less the terminating zero
MAX_DIMENSIONS = 4
MAX_ARRAY_ELEMENTS = 4 * 1024 * 1024
MAX_STRINGS = 4 * 1024 * 1024  # in all arrays together
MAX_STRING_BYTES = 16 * 1024 * 1024
# Below 32 bytes ggml asserts when it meets an odd address.
MIN_ALIGNMENT, MAX_ALIGNMENT = 32, 65536
DEFAULT_ALIGNMENT = 32
_SMALLEST_KEY_VALUE_BYTES = 8 + 1 + 4 + 1
_SMALLEST_TENSOR_INFO_BYTES = 8 + 1 + 4 + 8 + 4 + 8
_LEGACY_MAGICS = (b"ggml", b"ggmf", b"ggjt", b"ggla", b"ggsn", b"lmgg", b"fmgg", b"tjgg", b"algg")

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class ValueType(IntEnum):
    """`enum gguf_type` of gguf.h."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


# How a value of each type lies in the file.
SCALARS: dict[ValueType, struct.Struct] = {
    ValueType.UINT8: struct.Struct("<B"),
    ValueType.INT8: struct.Struct("<b"),
    ValueType.UINT16: struct.Struct("<H"),
    ValueType.INT16: struct.Struct("<h"),
    ValueType.UINT32: _U32,
    ValueType.INT32: struct.Struct("<i"),
    ValueType.FLOAT32: struct.Struct("<f"),
    ValueType.BOOL: struct.Struct("<B"),
    ValueType.UINT64: _U64,
    ValueType.INT64: struct.Struct("<q"),
    ValueType.FLOAT64: struct.Struct("<d"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One weight. `shape`: llama.cpp's order, row length first. `offset_bytes`: from the start of the data section."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset_bytes: int
    size_bytes: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        product = 1
        for length in self.shape:
            product *= length
        return product


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedHeader:
    """What stands in a header, checked for consistency in itself.

    value_types: the stored type of each key's value, of an array's elements for an array.
    value_ends: for each key the byte of the file where its value ends; tensors_offset: where the first weight's name
    begins. data_offset: where the data section begins in the file; data_bytes: its length up to the last weight's last
    byte.
    """

    version: int
    values: dict[str, Value]
    value_types: dict[str, ValueType]
    value_ends: dict[str, int]
    tensors: dict[str, TensorInfo]
    tensors_offset: int
    data_offset: int
    data_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedKeys:
    """The keys at the beginning of a header, as far as its bytes were there. tensor_count: what the header promises."""

    tensor_count: int
    values: dict[str, Value]
    value_types: dict[str, ValueType]
    value_ends: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTensors:
    """The weights' descriptions, `info_bytes` long in the file; data_bytes as in ParsedHeader."""

    tensors: dict[str, TensorInfo]
    info_bytes: int
    data_bytes: int


def parse(read: Callable[[int], bytes], *, size_bytes: int, path: str) -> ParsedHeader:
    """Parses a header from `read`, which gives up to n next bytes. `size_bytes`: of the whole file; `path`: for errors.

    Raises NotGguf, LegacyGgml, GgufVersionUnsupported, GgufBigEndian, GgufHeaderBroken, ModelFileUnreadable.
    """
    reader = HeaderReader(read, size_bytes=size_bytes, path=path)
    version = _read_preamble(reader, path)
    tensor_count, key_value_count = _read_counts(reader)
    pairs = _Pairs()
    _read_key_values(reader, key_value_count, pairs)
    values, value_types = pairs.values, pairs.types
    alignment = _alignment(reader, values, value_types)
    tensors_offset = reader.position
    tensors = _read_tensors(reader, tensor_count, alignment)
    data_offset = _aligned(reader.position, alignment) if tensors else reader.position
    data_bytes = _check_layout(reader, tensors, alignment)
    return ParsedHeader(
        version=version,
        values=values,
        value_types=value_types,
        value_ends=pairs.ends,
        tensors=tensors,
        tensors_offset=tensors_offset,
        data_offset=data_offset,
        data_bytes=data_bytes,
    )


def parse_keys(read: Callable[[int], bytes], *, size_bytes: int, path: str) -> ParsedKeys:
    """Like `parse`, but only of the keys, and only up to where `read` raises HeaderGoesOn."""
    reader = HeaderReader(read, size_bytes=size_bytes, path=path)
    _read_preamble(reader, path)
    tensor_count, key_value_count = _read_counts(reader)
    pairs = _Pairs()
    with contextlib.suppress(HeaderGoesOn):
        _read_key_values(reader, key_value_count, pairs)
    return ParsedKeys(tensor_count=tensor_count, values=pairs.values, value_types=pairs.types, value_ends=pairs.ends)


def parse_tensors(raw: bytes, *, count: int, alignment: int, path: str) -> ParsedTensors:
    """Like `parse`, but only of the weights' descriptions, which `raw` begins with. Raises GgufHeaderBroken."""
    file = io.BytesIO(raw)
    reader = HeaderReader(file.read, size_bytes=len(raw), path=path)
    tensors = _read_tensors(reader, count, alignment)
    data_bytes = _check_layout(reader, tensors, alignment)
    return ParsedTensors(tensors=tensors, info_bytes=reader.position, data_bytes=data_bytes)


@dataclass(slots=True)
class _Pairs:
    """Key-values while they are read."""

    values: dict[str, Value] = field(default_factory=dict)
    types: dict[str, ValueType] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)


def _read_preamble(reader: HeaderReader, path: str) -> int:
    start = reader.take(min(8, reader.remaining_bytes))
    magic = start[:4]
    if magic in _LEGACY_MAGICS:
        raise LegacyGgml(path, magic.decode("ascii"))
    if magic != b"GGUF" or len(start) < 8:
        raise NotGguf(path, _looks_like(start))
    (version,) = _U32.unpack(start[4:])
    if version and not version & 0xFFFF:
        raise GgufBigEndian(path)
    if version not in (2, 3):
        raise GgufVersionUnsupported(path, version)
    return int(version)


def _looks_like(start: bytes) -> str:
    text = start.lstrip().lower()
    if text.startswith((b"<!doc", b"<html", b"<?xml")):
        return "html"
    if text.startswith(b"pk\x03\x04"):
        return "zip"
    if text.startswith((b"{", b"[")):
        return "json"
    # A safetensors file begins with the length of its JSON header.
    if len(start) == 8 and start[5:] == b"\0\0\0":
        return "safetensors"
    return ""


def _read_counts(reader: HeaderReader) -> tuple[int, int]:
    (tensors,) = _U64.unpack(reader.take(8))
    (key_values,) = _U64.unpack(reader.take(8))
    left = reader.remaining_bytes
    if tensors > MAX_TENSORS or tensors * _SMALLEST_TENSOR_INFO_BYTES > left:
        raise reader.broken(f"{tensors} tensors")
    if key_values > MAX_KEY_VALUES or key_values * _SMALLEST_KEY_VALUE_BYTES > left:
        raise reader.broken(f"{key_values} key-value pairs")
    return int(tensors), int(key_values)


def _read_bytes(reader: HeaderReader, limit: int) -> bytes:
    (length,) = _U64.unpack(reader.take(8))
    if length > limit or length > reader.remaining_bytes:
        raise reader.broken(f"a string of {length} bytes")
    return reader.take(length)


def _read_name(reader: HeaderReader, limit: int) -> str:
    raw = _read_bytes(reader, limit)
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise reader.broken("a name that is no UTF-8") from None
    if not name or "\0" in name:
        raise reader.broken("an empty name or one with a zero byte")
    return name


def _read_type(reader: HeaderReader) -> ValueType:
    (number,) = _U32.unpack(reader.take(4))
    try:
        return ValueType(number)
    except ValueError:
        raise reader.broken(f"unknown value type {number}") from None


def _read_key_values(reader: HeaderReader, count: int, pairs: _Pairs) -> None:
    strings_left = MAX_STRINGS
    for _ in range(count):
        key = _read_name(reader, MAX_KEY_BYTES)
        if key in pairs.values:
            raise reader.broken(f"key {key} twice")
        value_type = _read_type(reader)
        if value_type is ValueType.ARRAY:
            # llama.cpp knows no arrays of arrays either.
            value_type = _read_type(reader)
            value = _read_array(reader, value_type, strings_left)
            if isinstance(value, StringArray):
                strings_left -= len(value)
        else:
            value = _read_scalar(reader, value_type)
        pairs.values[key], pairs.types[key], pairs.ends[key] = value, value_type, reader.position


def _read_scalar(reader: HeaderReader, value_type: ValueType) -> Scalar:
    if value_type is ValueType.STRING:
        return _read_bytes(reader, MAX_STRING_BYTES).decode("utf-8", "replace")
    (value,) = reader.unpack(SCALARS[value_type])
    if value_type is ValueType.BOOL:
        if value not in (0, 1):
            raise reader.broken(f"a truth value of {value}")
        return bool(value)
    return value


def _read_array(reader: HeaderReader, element_type: ValueType, strings_left: int) -> Value:
    if element_type is ValueType.ARRAY:
        raise reader.broken("an array of arrays")
    (count,) = _U64.unpack(reader.take(8))
    if count > MAX_ARRAY_ELEMENTS:
        raise reader.broken(f"an array of {count} elements")
    if element_type is ValueType.STRING:
        if count > strings_left or count * 8 > reader.remaining_bytes:
            raise reader.broken(f"an array of {count} strings")
        return _read_strings(reader, count)
    layout = SCALARS[element_type]
    if count * layout.size > reader.remaining_bytes:
        raise reader.broken(f"an array of {count} elements")
    raw = reader.take(count * layout.size)
    if element_type is ValueType.BOOL and raw.strip(b"\0\1"):
        raise reader.broken("a truth value that is neither 0 nor 1")
    # Little-endian like every machine this runs on.
    view: Any = memoryview(raw)
    return cast("Sequence[int]", view.cast(layout.format[-1]))


def _read_strings(reader: HeaderReader, count: int) -> StringArray:
    start = position = reader.position
    limit = start + reader.remaining_bytes
    buffer = reader.buffer
    ends = array("Q", bytes(8 * count))
    unpack = _U64.unpack_from
    for index in range(count):
        if position + 8 > len(buffer):
            reader.need(position + 8 - start)
            buffer = reader.buffer
        position += 8 + unpack(buffer, position)[0]
        if position > limit:
            raise reader.broken(f"string {index} of an array is longer than the file")
        ends[index] = position - start
    return StringArray(reader.take(position - start), ends)


def _alignment(reader: HeaderReader, values: dict[str, Value], types: dict[str, ValueType]) -> int:
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if types.get("general.alignment", ValueType.UINT32) is not ValueType.UINT32 or not isinstance(alignment, int):
        raise reader.broken("the alignment has the wrong type")
    if not MIN_ALIGNMENT <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise reader.broken(f"an alignment of {alignment}")
    return alignment


def _read_tensors(reader: HeaderReader, count: int, alignment: int) -> dict[str, TensorInfo]:
    tensors: dict[str, TensorInfo] = {}
    for _ in range(count):
        name = _read_name(reader, MAX_TENSOR_NAME_BYTES)
        if name in tensors:
            raise reader.broken(f"tensor {name} twice")
        tensors[name] = _read_tensor(reader, name, alignment)
    return tensors


def _read_tensor(reader: HeaderReader, name: str, alignment: int) -> TensorInfo:
    (dimensions,) = _U32.unpack(reader.take(4))
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise reader.broken(f"tensor {name} has {dimensions} dimensions")
    shape = struct.unpack(f"<{dimensions}Q", reader.take(8 * dimensions))
    type_number, offset = struct.unpack("<IQ", reader.take(12))
    tensor_type = TENSOR_TYPES.get(type_number)
    if tensor_type is None:
        raise reader.broken(f"tensor {name} has the unknown type {type_number}")
    elements = 1
    for length in shape:
        elements *= length
    if not 0 < elements < 1 << 60:
        raise reader.broken(f"tensor {name} has a shape of {'x'.join(map(str, shape))}")
    if shape[0] % tensor_type.block_elements:
        raise reader.broken(f"tensor {name} of type {tensor_type.name} has rows of {shape[0]}")
    if offset % alignment or offset >= 1 << 60:
        raise reader.broken(f"tensor {name} lies at offset {offset}")
    return TensorInfo(
        name=name,
        shape=shape,
        type=tensor_type,
        offset_bytes=offset,
        size_bytes=elements // tensor_type.block_elements * tensor_type.block_bytes,
    )


def _check_layout(reader: HeaderReader, tensors: dict[str, TensorInfo], alignment: int) -> int:
    """The data section's length. Tensors must follow one another without holes, as llama.cpp demands."""
    expected = end = 0
    for tensor in tensors.values():
        if tensor.offset_bytes != expected:
            raise reader.broken(f"tensor {tensor.name} lies at offset {tensor.offset_bytes}, not at {expected}")
        end = expected + tensor.size_bytes
        expected = _aligned(end, alignment)
    return end


def _aligned(position: int, alignment: int) -> int:
    return (position + alignment - 1) // alignment * alignment
