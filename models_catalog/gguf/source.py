"""Opening a file that claims to be a GGUF, and reading its beginning without ever trusting a length in it."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

from models_catalog.errors import (
    GgufHeaderBroken,
    ModelFileEmpty,
    ModelFileMissing,
    ModelFileUnreadable,
    NotRegularFile,
)

# The largest real header (a 262 k vocabulary with its merges) has about 16 MB; nothing honest is near this.
MAX_HEADER_BYTES = 128 * 1024 * 1024
_FIRST_READ_BYTES = 1024 * 1024

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


def open_regular(path: Path) -> tuple[BufferedReader, int]:
    """The opened file and its size in bytes. Never blocks on a pipe, never opens a device.

    Raises ModelFileMissing, NotRegularFile, ModelFileEmpty, ModelFileUnreadable.
    """
    name = str(path)
    try:
        _refuse_irregular(path, path.stat().st_mode)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise ModelFileMissing(name) from error
    except (OSError, ValueError) as error:
        raise ModelFileUnreadable(name, _reason(error)) from error
    file = os.fdopen(descriptor, "rb")
    try:
        # Once more on the open file: the name may point elsewhere by now.
        status = os.fstat(descriptor)
        _refuse_irregular(path, status.st_mode)
        if status.st_size == 0:
            raise ModelFileEmpty(name)
    except BaseException:
        file.close()
        raise
    return file, status.st_size


def _refuse_irregular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((kind for matches, kind in _KINDS if matches(mode)), "device")
    raise NotRegularFile(str(path), kind)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


class HeaderGoesOn(Exception):
    """For the `read` of a HeaderReader to raise: the file has more bytes, but they are not here yet."""


class HeaderReader:
    """Reads a header front to back. Every read is checked against the bytes that are really there.

    `buffer` holds what was read so far; `position` is the next unread byte of it.
    """

    def __init__(self, read: Callable[[int], bytes], *, size_bytes: int, path: str) -> None:
        self._read = read
        self._limit = min(size_bytes, MAX_HEADER_BYTES)
        self._path = path
        self.buffer = b""
        self.position = 0

    @property
    def remaining_bytes(self) -> int:
        """Upper bound for what can still follow."""
        return self._limit - self.position

    def broken(self, problem: str) -> GgufHeaderBroken:
        """The error to raise, with the place where it was found."""
        return GgufHeaderBroken(self._path, f"{problem} (at byte {self.position})")

    def need(self, count: int) -> None:
        """Makes `count` unread bytes available in the buffer, or raises GgufHeaderBroken."""
        end = self.position + count
        if end <= len(self.buffer):
            return
        if end > self._limit:
            raise self.broken("the header ends too early or is too large")
        target = min(self._limit, max(end, 2 * len(self.buffer), _FIRST_READ_BYTES))
        pieces, have = [self.buffer], len(self.buffer)
        # More than needed is taken when it comes along; it is never asked for once enough is there.
        while have < end:
            try:
                piece = self._read(target - have)
            except OSError as error:
                raise ModelFileUnreadable(self._path, _reason(error)) from error
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        self.buffer = b"".join(pieces)
        if end > len(self.buffer):
            raise self.broken("the header ends too early")

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        self.need(count)
        piece = self.buffer[self.position : self.position + count]
        self.position += count
        return piece

    def unpack(self, layout: struct.Struct) -> tuple[int | float | bool, ...]:
        """The next bytes, read by a fixed layout."""
        self.need(layout.size)
        values = layout.unpack_from(self.buffer, self.position)
        self.position += layout.size
        return values
