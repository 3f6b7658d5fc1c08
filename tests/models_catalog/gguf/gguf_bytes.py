"""A GGUF file taken apart into pieces that a test may change at will, and put together again without any check."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.header import read_header
from models_catalog.gguf.parsing import ValueType
from models_catalog.gguf.tensor_types import TENSOR_TYPES

_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
_TYPE_NUMBERS = {tensor_type.name: number for number, tensor_type in TENSOR_TYPES.items()}
ALIGNMENT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A key and its value: `type` of the value or, with `is_array`, of its elements; strings as bytes."""

    key: bytes
    type: int
    value: Any
    is_array: bool = False

    def encode(self) -> bytes:
        head = _string(self.key)
        if not self.is_array:
            return head + struct.pack("<I", self.type) + _scalar(self.type, self.value)
        kept = _encoded.get(id(self))
        if kept is not None and kept[0] is self:
            return kept[1]
        body = b"".join(_scalar(self.type, element) for element in self.value)
        whole = head + struct.pack("<IIQ", ValueType.ARRAY, self.type, len(self.value)) + body
        if len(_encoded) >= _ENCODED_KEPT:
            _encoded.clear()
        _encoded[id(self)] = self, whole
        return whole


# Arrays by identity: thousands of hostile files are made from a few sound vocabularies.
_ENCODED_KEPT = 64
_encoded: dict[int, tuple[Pair, bytes]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A tensor with its data. `offset` None: where it belongs."""

    name: bytes
    shape: tuple[int, ...]
    type: int
    data: bytes
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufPieces:
    """All that stands in a file."""

    pairs: tuple[Pair, ...]
    weights: tuple[Weight, ...]
    magic: bytes = b"GGUF"
    version: int = 3
    pair_count: int | None = None
    weight_count: int | None = None

    def encode(self) -> bytes:
        """The file's bytes."""
        pair_count = len(self.pairs) if self.pair_count is None else self.pair_count
        weight_count = len(self.weights) if self.weight_count is None else self.weight_count
        parts = [self.magic, struct.pack("<IQQ", self.version, weight_count, pair_count)]
        parts += [pair.encode() for pair in self.pairs]
        data: list[bytes] = []
        data_bytes = 0
        for weight in self.weights:
            offset = data_bytes if weight.offset is None else weight.offset
            layout = f"<I{len(weight.shape)}QIQ"
            parts.append(_string(weight.name))
            parts.append(struct.pack(layout, len(weight.shape), *weight.shape, weight.type, offset))
            data += weight.data, bytes(-len(weight.data) % ALIGNMENT)
            data_bytes += len(data[-2]) + len(data[-1])
        header = b"".join(parts)
        return b"".join((header, bytes(-len(header) % ALIGNMENT), *data))

    def value(self, key: str) -> Any:
        """The value of a key."""
        return next(pair.value for pair in self.pairs if pair.key == key.encode())

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return any(pair.key == key.encode() for pair in self.pairs)

    def with_pair(self, key: str, value_type: int, value: Any, *, is_array: bool = False) -> GgufPieces:
        """Sets or adds a key."""
        new = Pair(key=key.encode(), type=value_type, value=value, is_array=is_array)
        if self.has(key):
            return replace(self, pairs=tuple(new if pair.key == new.key else pair for pair in self.pairs))
        return replace(self, pairs=(*self.pairs, new))

    def with_value(self, key: str, value: Any) -> GgufPieces:
        """Sets the value of a key that is there, keeping its type."""
        pairs = (replace(pair, value=value) if pair.key == key.encode() else pair for pair in self.pairs)
        return replace(self, pairs=tuple(pairs))

    def without(self, *keys: str) -> GgufPieces:
        """Drops keys."""
        dropped = {key.encode() for key in keys}
        return replace(self, pairs=tuple(pair for pair in self.pairs if pair.key not in dropped))

    def weight(self, name: str) -> Weight:
        """One tensor."""
        return next(weight for weight in self.weights if weight.name == name.encode())

    def with_weight(self, name: str, /, **fields: Any) -> GgufPieces:
        """Changes fields of one tensor."""
        old = self.weight(name)
        return replace(
            self, weights=tuple(replace(old, **fields) if weight is old else weight for weight in self.weights)
        )


def take_apart(path: Path) -> GgufPieces:
    """The pieces of a sound file."""
    header = read_header(path)
    content = path.read_bytes()
    pairs = []
    for key, value in header.values.items():
        value_type = int(header.value_types[key])
        if isinstance(value, StringArray):
            pairs.append(Pair(key=key.encode(), type=value_type, value=tuple(value.all_raw()), is_array=True))
        elif isinstance(value, str):
            pairs.append(Pair(key=key.encode(), type=value_type, value=value.encode()))
        elif isinstance(value, int | float):
            pairs.append(Pair(key=key.encode(), type=value_type, value=value))
        else:
            pairs.append(Pair(key=key.encode(), type=value_type, value=tuple(value), is_array=True))
    weights = []
    for tensor in header.tensors.values():
        start = header.data_offset + tensor.offset_bytes
        weights.append(
            Weight(
                name=tensor.name.encode(),
                shape=tensor.shape,
                type=_TYPE_NUMBERS[tensor.type.name],
                data=content[start : start + tensor.size_bytes],
            )
        )
    return GgufPieces(pairs=tuple(pairs), weights=tuple(weights))


def _string(raw: bytes) -> bytes:
    return struct.pack("<Q", len(raw)) + raw


def _scalar(value_type: int, value: Any) -> bytes:
    if value_type == ValueType.STRING:
        return _string(value)
    layout = _FORMATS[value_type]
    if layout in "fd":
        return struct.pack(f"<{layout}", value)
    size = struct.calcsize(layout)
    return (int(value) % (1 << 8 * size)).to_bytes(size, "little")
