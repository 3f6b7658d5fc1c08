"""What is remembered of the last look: so that an old index cannot pass for a new one, and to be shown offline."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resources.atomic_file import write_atomically


class LastLook(msgspec.Struct, frozen=True, kw_only=True):
    """checked_at: seconds since the epoch. serial: of the newest index ever seen. version: the newest it named."""

    checked_at: float | None = None
    serial: int = 0
    version: str = ""


def read_last_look(path: Path) -> LastLook:
    """What the file says; nothing where there is none, or none that this version understands."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LastLook)
    except (OSError, msgspec.MsgspecError):
        return LastLook()


def keep_last_look(path: Path, look: LastLook) -> None:
    """Raises OSError."""
    write_atomically(path, msgspec.json.encode(look))
