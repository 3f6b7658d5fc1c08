"""Plan data on disk, so that a remote model is asked about once: a few KB for each, and never more than a few MB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from models_catalog.cache_folder import CacheFolder, hashed
from models_catalog.errors import ModelFileRefused
from models_catalog.gguf.plan_data import compress, decompress, read_plan_data
from models_catalog.gguf.screen import screen_plan_data

MAX_BYTES = 32 * 1024 * 1024
_MAX_ENTRY_BYTES = 4 * 1024 * 1024
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPlan:
    """validator: what the source called the file (its ETag), "" where the key itself is a hash of the content."""

    plan_data: bytes
    validator: str


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    format: int
    key: str
    validator: str
    compressed: bytes


class PlanCache:
    """A folder of plan data by key. May be deleted or damaged at any time; several processes may share it."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        """The folder need not exist. max_bytes: of all entries; the longest unused go first."""
        self._entries = CacheFolder(folder, suffix=".plan", max_bytes=max_bytes, max_entry_bytes=_MAX_ENTRY_BYTES)

    def find(self, key: str) -> CachedPlan | None:
        """What was stored last under this key, if it is sound; never raises for what lies on the disk."""
        content = self._entries.find(key)
        if content is None:
            return None
        name = self._entries.path(key).name
        try:
            entry = msgspec.msgpack.decode(content, type=_Entry)
            if entry.format != _FORMAT or entry.key != hashed(key):
                return None
            raw = decompress(entry.compressed, name)
            screen_plan_data(read_plan_data(raw, name))
        except (msgspec.DecodeError, ModelFileRefused):
            return None
        return CachedPlan(plan_data=raw, validator=entry.validator)

    def store(self, key: str, plan: CachedPlan) -> None:
        """Replaces the entry at once and whole. A disk that refuses is no error: the model is asked about again."""
        entry = _Entry(_FORMAT, hashed(key), plan.validator, compress(plan.plan_data))
        self._entries.store(key, msgspec.msgpack.encode(entry))
