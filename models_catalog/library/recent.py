"""The header that was read last, for the two or three who look at a file one after the other when it is first used."""

from __future__ import annotations

import threading
from pathlib import Path

from models_catalog.gguf.header import GgufHeader, read_header
from models_catalog.library.files import stamp

_lock = threading.Lock()
_last: tuple[Path, tuple[int, int], GgufHeader] | None = None


def recent_header(path: Path) -> GgufHeader:
    """As `read_header`, which takes a quarter of a second with a large vocabulary; once while the file stays."""
    global _last
    found = stamp(path)
    with _lock:
        if _last is not None and _last[:2] == (path, found):
            return _last[2]
    header = read_header(path)
    with _lock:
        _last = path, found, header
    return header


def forget_recent_header() -> None:
    """Free what is remembered: some megabytes of vocabulary."""
    global _last
    with _lock:
        _last = None
