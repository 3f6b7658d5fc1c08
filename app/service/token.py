"""The secret that every request must carry; kept across restarts so that client programs stay configured."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from app.errors import DataFolderUnusable
from resources.atomic_file import write_atomically

FILE_NAME = "token"


def kept_token(folder: Path) -> str:
    """The token of this data folder, made on first use (mode 0600). Raises DataFolderUnusable."""
    return kept_secret(folder / FILE_NAME, lambda: secrets.token_urlsafe(32))


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in this file, made on first use (mode 0600). Raises DataFolderUnusable."""
    try:
        found = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if len(found) >= 16 and found.isascii() and found.isprintable():
            if os.name == "posix" and path.stat().st_mode & 0o077:
                path.chmod(0o600)
            return found
        made = make()
        write_atomically(path, made.encode())
    except OSError as error:
        raise DataFolderUnusable(path=str(path), reason=error.strerror or str(error)) from error
    return made
