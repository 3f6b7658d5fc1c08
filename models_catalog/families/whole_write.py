"""Replacing a file of the catalogue's folder in one step."""

from __future__ import annotations

from pathlib import Path

from resources.atomic_file import write_atomically


def write_whole(path: Path, content: bytes) -> None:
    """As `write_atomically`; makes the folder. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(path, content)
