"""Writes GGUF headers from parsed values: the way back of `models_catalog.gguf.parsing`.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.parsing import SCALARS, TensorInfo, Value, ValueType
from models_catalog.gguf.tensor_types import TENSOR_TYPES

_VERSION = 3
_TYPE_NUMBERS = {tensor_type: number for number, tensor_type in TENSOR_TYPES.items()}


def encode_header(
    values: Mapping[str, Value],
    value_types: Mapping[str, ValueType],
    tensors: Iterable[TensorInfo],
    *,
    alignment: int,
) -> bytes:
    """A whole header, padded to where the data section of its tensors begins; the data itself is not part of it.

    value_types: the stored type of each value, of an array's elements for an array. Tensors are written with the
    offsets that they have. Equal arguments give equal bytes.
    """
    infos = [encode_tensor_info(tensor) for tensor in tensors]
    pairs = [encode_key_value(key, value, value_types[key]) for key, value in values.items()]
    header = b"".join((b"GGUF", struct.pack("<IQQ", _VERSION, len(infos), len(pairs)), *pairs, *infos))
    return header + bytes(-len(header) % alignment if infos else 0)


def encode_key_value(key: str, value: Value, value_type: ValueType) -> bytes:
    """One key with its value. Strings that were no UTF-8 are written with U+FFFD, elements of arrays as they were."""
    name = _string(key.encode())
    if isinstance(value, str):
        return name + struct.pack("<I", ValueType.STRING) + _string(value.encode())
    if isinstance(value, int | float):
        return name + struct.pack("<I", value_type) + SCALARS[value_type].pack(value)
    array_head = name + struct.pack("<IIQ", ValueType.ARRAY, value_type, len(value))
    if isinstance(value, StringArray):
        return array_head + b"".join(map(_string, value.all_raw()))
    element = SCALARS[value_type].format[-1]
    return array_head + struct.pack(f"<{len(value)}{element}", *value)


def encode_tensor_info(tensor: TensorInfo) -> bytes:
    """One weight's name, shape, type and offset."""
    dimensions = len(tensor.shape)
    return _string(tensor.name.encode()) + struct.pack(
        f"<I{dimensions}QIQ", dimensions, *tensor.shape, _TYPE_NUMBERS[tensor.type], tensor.offset_bytes
    )


def _string(raw: bytes) -> bytes:
    return struct.pack("<Q", len(raw)) + raw
