"""Plan data on disk, so that a remote model is asked about once: a few KB for each, and never more than a few MB."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models_catalog.errors import ModelFileRefused
from models_catalog.gguf.plan_data import compress, decompress, read_plan_data
from models_catalog.gguf.screen import screen_plan_data

MAX_BYTES = 32 * 1024 * 1024
_MAX_ENTRY_BYTES = 4 * 1024 * 1024
_FORMAT = 1
_SUFFIX = ".plan"


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


def _hash(key: str) -> str:
    """Keys are never written: an address may hold a secret."""
    return hashlib.sha256(key.encode()).hexdigest()


class PlanCache:
    """A folder of plan data by key. May be deleted or damaged at any time; several processes may share it."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        """The folder need not exist. max_bytes: of all entries; the longest unused go first."""
        self._folder = folder
        self._max_bytes = max_bytes

    def find(self, key: str) -> CachedPlan | None:
        """What was stored last under this key, if it is sound; never raises for what lies on the disk."""
        path = self._path(key)
        try:
            if path.stat().st_size > _MAX_ENTRY_BYTES:
                return None
            entry = msgspec.msgpack.decode(path.read_bytes(), type=_Entry)
            if entry.format != _FORMAT or entry.key != _hash(key):
                return None
            raw = decompress(entry.compressed, path.name)
            screen_plan_data(read_plan_data(raw, path.name))
        except (OSError, msgspec.DecodeError, ModelFileRefused):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return CachedPlan(plan_data=raw, validator=entry.validator)

    def store(self, key: str, plan: CachedPlan) -> None:
        """Replaces the entry at once and whole. A disk that refuses is no error: the model is asked about again."""
        content = msgspec.msgpack.encode(_Entry(_FORMAT, _hash(key), plan.validator, compress(plan.plan_data)))
        if len(content) > min(_MAX_ENTRY_BYTES, self._max_bytes):
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(suffix=".new", dir=self._folder)
            fresh = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                fresh.replace(self._path(key))
            except OSError:
                fresh.unlink(missing_ok=True)
                raise
            self._evict()

    def _path(self, key: str) -> Path:
        return self._folder / f"{_hash(key)[:40]}{_SUFFIX}"

    def _evict(self) -> None:
        entries = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                status = path.stat()
                entries.append((status.st_mtime_ns, status.st_size, path))
        excess_bytes = sum(size for _, size, _ in entries) - self._max_bytes
        for _, size, path in sorted(entries):
            if excess_bytes <= 0:
                return
            path.unlink(missing_ok=True)
            excess_bytes -= size
