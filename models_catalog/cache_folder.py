"""A folder of small entries by key, written whole, of which the longest unused go first: a memory that may be lost."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path


def hashed(key: str) -> str:
    """Keys are never written: an address may hold a secret."""
    return hashlib.sha256(key.encode()).hexdigest()


class CacheFolder:
    """May be deleted or damaged at any time; several processes may share it. Blocking, and nothing raises."""

    def __init__(self, folder: Path, *, suffix: str, max_bytes: int, max_entry_bytes: int) -> None:
        """The folder need not exist. suffix: of the entries' file names; other files are left alone."""
        self._folder, self._suffix = folder, suffix
        self._max_bytes, self._max_entry_bytes = max_bytes, min(max_bytes, max_entry_bytes)

    def path(self, key: str) -> Path:
        """Where the entry is, if there is one."""
        return self._folder / f"{hashed(key)[:40]}{self._suffix}"

    def find(self, key: str) -> bytes | None:
        """What was stored last under this key. Whether it is sound is for the caller to see."""
        path = self.path(key)
        try:
            if path.stat().st_size > self._max_entry_bytes:
                return None
            content = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def store(self, key: str, content: bytes) -> None:
        """Replaces the entry at once and whole. A disk that refuses is no error: what was known is asked again."""
        if len(content) > self._max_entry_bytes:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(suffix=".new", dir=self._folder)
            fresh = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                fresh.replace(self.path(key))
            except OSError:
                fresh.unlink(missing_ok=True)
                raise
            self._evict()

    def forget(self, key: str) -> None:
        """There is no such entry any more."""
        with contextlib.suppress(OSError):
            self.path(key).unlink(missing_ok=True)

    def _evict(self) -> None:
        entries = []
        for path in self._folder.glob(f"*{self._suffix}"):
            with contextlib.suppress(OSError):
                status = path.stat()
                entries.append((status.st_mtime_ns, status.st_size, path))
        excess_bytes = sum(size for _, size, _ in entries) - self._max_bytes
        for _, size, path in sorted(entries):
            if excess_bytes <= 0:
                return
            path.unlink(missing_ok=True)
            excess_bytes -= size
