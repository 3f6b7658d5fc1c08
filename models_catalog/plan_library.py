"""Plan data of published models that ships with the app: they can be planned without a network.

`resources/plan_data/index.json` names the models and the sizes of their files; each model's file holds the plan data
of all its quantizations, compressed together, since they differ in little. Made by
`python -m tests.synthetic.make_plan_data`.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import resources
from models_catalog.gguf.plan_data import decompress

_FOLDER = "plan_data"
_INDEX = "index.json"


@lru_cache(maxsize=1)
def published_models() -> Mapping[str, Mapping[str, int]]:
    """Model → quantization → bytes of the files to be downloaded; quantizations from the smallest on."""
    index: dict[str, dict[str, int]] = json.loads(resources.path(_FOLDER, _INDEX).read_bytes())
    return MappingProxyType({model: MappingProxyType(sizes) for model, sizes in index.items()})


def published_plan_data(model: str, quantization: str) -> bytes | None:
    """Uncompressed plan data (see `models_catalog.gguf.plan_data`); None for a model or quantization that is not there.

    Takes some milliseconds for each call.
    """
    if quantization not in published_models().get(model, {}):
        return None
    return unpack(resources.path(_FOLDER, f"{model}.xz").read_bytes())[quantization]


def starter_plan_data(key: str) -> bytes | None:
    """Uncompressed plan data of a starter model, from its very file; None for a key that is no starter's."""
    file = resources.path(_FOLDER, f"{key}.starter")
    return decompress(file.read_bytes(), file.name) if file.exists() else None


def pack(plan_data: Mapping[str, bytes]) -> bytes:
    """A model's file from plan data by quantization; equal arguments give equal bytes with the same liblzma."""
    lengths = {quantization: len(raw) for quantization, raw in plan_data.items()}
    body = json.dumps(lengths).encode() + b"\n" + b"".join(plan_data.values())
    return lzma.compress(body, preset=9 | lzma.PRESET_EXTREME)


def unpack(packed: bytes) -> dict[str, bytes]:
    """The way back."""
    lengths, _, rest = lzma.decompress(packed).partition(b"\n")
    plan_data: dict[str, bytes] = {}
    for quantization, length in json.loads(lengths).items():
        plan_data[quantization], rest = rest[:length], rest[length:]
    return plan_data
