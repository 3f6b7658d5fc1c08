"""A file that this version cannot read, as after a return to an older one, is not overwritten but kept beside."""

from __future__ import annotations

import contextlib
from pathlib import Path

ENDING = ".unread"
_MOST = 100


def keep_aside(path: Path) -> Path | None:
    """Rename "x.json" to "x.json.unread", or "x.json.unread-2" where that is taken; None if it cannot be renamed.

    For the moment before its place is needed. Never raises.
    """
    for number in range(1, _MOST):
        aside = path.with_name(f"{path.name}{ENDING}{f'-{number}' if number > 1 else ''}")
        if not aside.exists():
            with contextlib.suppress(OSError):
                return path.rename(aside)
            return None
    return None
