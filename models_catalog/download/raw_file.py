"""Reading and writing a file at offsets, without a buffer between it and the operating system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

Data = bytes | bytearray | memoryview


def opened(path: Path) -> BinaryIO:
    """The file, begun empty where there is none."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    return os.fdopen(descriptor, "r+b", buffering=0)


def force(file: BinaryIO) -> None:
    """The file's bytes are on the disk; its times need not be, which saves a write."""
    getattr(os, "fdatasync", os.fsync)(file.fileno())


def write_at(file: BinaryIO, offset: int, data: Data) -> None:
    """All of the data, from `offset` on."""
    view = memoryview(data)
    file.seek(offset)
    while view:
        view = view[file.write(view) :]


def read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    """So many bytes from `offset` on; fewer where the file ends."""
    file.seek(offset)
    found = bytearray()
    while len(found) < count and (piece := file.read(count - len(found))):
        found += piece
    return bytes(found)
