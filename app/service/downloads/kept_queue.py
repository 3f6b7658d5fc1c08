"""The queue on disk, so that a restart goes on where it was. No tokens and no addresses are written."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from models_catalog.kept_aside import keep_aside
from resources.atomic_file import write_atomically

log = logging.getLogger(__name__)
_FORMAT = 1


class KeptDownload(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known of a download to begin it again."""

    id: str
    model: str
    name: str
    quantization: str
    sources: tuple[str, ...] = ()
    paused: bool = False
    received_bytes: int = 0
    total_bytes: int = 0


class _File(msgspec.Struct, frozen=True):
    format: int
    downloads: tuple[KeptDownload, ...]


def read_queue(path: Path) -> tuple[KeptDownload, ...]:
    """What was kept; () when there is nothing readable."""
    return _read(path) or ()


def write_queue(path: Path, downloads: tuple[KeptDownload, ...]) -> None:
    """Replaces what is kept; the queue of a newer version, which cannot be read here, is kept beside.

    A disk that refuses costs the queue at the next start, and nothing now.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and _read(path) is None:
            keep_aside(path)
        write_atomically(path, msgspec.json.encode(_File(_FORMAT, downloads)))
    except OSError as error:
        log.warning("the queue of downloads cannot be kept: %s", error)


def _read(path: Path) -> tuple[KeptDownload, ...] | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.MsgspecError):
        return None
    return kept.downloads if kept.format == _FORMAT else None
