"""Files whose weights have the wrong type, shape, place or content."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from models_catalog.gguf.tensor_types import TENSOR_TYPES
from tests.models_catalog.gguf.gguf_bytes import GgufPieces, Weight
from tests.models_catalog.gguf.hostile.case import Case

_ODD_PLACES: dict[str, dict[str, Any]] = {
    "renamed": {"name": b"blk.7.other.weight"},
    "moved": {"offset": 1 << 50},
    "askew": {"offset": 7},
    "over the first": {"offset": 64},
    "of type 99": {"type": 99},
    "of type 4": {"type": 4},
}


def tensor_types(pieces: GgufPieces) -> Iterator[Case]:
    """Each kind of weight in each type, with as much data as the type needs."""
    kinds: dict[str, str] = {}
    for weight in pieces.weights:
        name = weight.name.decode()
        kinds.setdefault(re.sub(r"^blk\.\d+\.", "", name), name)
    for kind, name in kinds.items():
        weight = pieces.weight(name)
        for number, tensor_type in TENSOR_TYPES.items():
            if tensor_type.name == "F32" or weight.shape[0] % min(tensor_type.block_elements, 64):
                continue
            blocks = -(-math.prod(weight.shape) // tensor_type.block_elements)
            changed = pieces.with_weight(name, type=number, data=bytes(blocks * tensor_type.block_bytes))
            yield Case("tensor type", f"{kind} as {tensor_type.name}", changed)


def tensor_shapes(pieces: GgufPieces) -> Iterator[Case]:
    """Weights that are missing, misplaced, misshapen or too many."""

    def case(name: str, changed: GgufPieces) -> Case:
        return Case("tensor shape", name, changed)

    for name in ("token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_norm.weight", "output.weight"):
        old = pieces.weight(name).shape
        shapes = {
            "transposed": tuple(reversed(old)),
            "flat": (math.prod(old),),
            "in 4 dimensions": (*old, 1, 1)[:4],
            "in 5 dimensions": (*old, 1, 1, 1, 1),
            "without dimensions": (),
            "of nothing": (0, *old[1:]),
            "huge": (1 << 40, 1 << 40),
            "negative": (1 << 63, *old[1:]),
        }
        for title, shape in shapes.items():
            yield case(f"{name} {title}", pieces.with_weight(name, shape=shape))
        for title, fields in _ODD_PLACES.items():
            yield case(f"{name} {title}", pieces.with_weight(name, **fields))
        rest = tuple(weight for weight in pieces.weights if weight.name != name.encode())
        yield case(f"{name} missing", replace(pieces, weights=rest))

    def with_extra(**fields: Any) -> GgufPieces:
        extra = Weight(name=b"blk.0.attn_rot.weight", shape=(32,), type=0, data=bytes(128))
        return replace(pieces, weights=(*pieces.weights, replace(extra, **fields)))

    yield case("one too many", with_extra())
    yield case("one twice", replace(pieces, weights=(*pieces.weights, pieces.weights[0])))
    yield case("a long name", with_extra(name=b"x" * 64))
    yield case("a name that is no UTF-8", with_extra(name=b"\xff"))
    yield case("factors for rope", with_extra(name=b"rope_freqs.weight", shape=(8,), data=bytes(32)))


def weights(pieces: GgufPieces) -> Iterator[Case]:
    """Sound headers over absurd weights."""
    for name in ("token_embd.weight", "output.weight", "blk.1.attn_k.bias", "output_norm.weight"):
        count = len(pieces.weight(name).data) // 4
        for value in (math.nan, math.inf, 0.0, -3.4e38):
            changed = pieces.with_weight(name, data=struct.pack("<f", value) * count)
            yield Case("weights", f"{name} = {value}", changed)
