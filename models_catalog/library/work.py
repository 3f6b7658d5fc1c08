"""Long work on model files: how it tells how far it is, and how it is stopped."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from models_catalog.disk import free_disk_bytes
from models_catalog.errors import DiskTooSmall, FolderUnwritable, LibraryWorkCancelled, ModelFileUnreadable

BLOCK_BYTES = 4 * 1024 * 1024
_REPORT_SECONDS = 0.1


class Work:
    """One long task, for the thread that does it. on_progress is called with (done, total) bytes, ten times a second.

    `advance` raises LibraryWorkCancelled once `cancelled` is set.
    """

    def __init__(
        self,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
        cancelled: threading.Event | None = None,
    ) -> None:
        self._on_progress = on_progress
        self._cancelled = cancelled or threading.Event()
        self._reported_at = 0.0
        self.done_bytes = 0
        self.total_bytes = 0

    def expect(self, total_bytes: int) -> None:
        """So many bytes are to be worked through, from now on."""
        self.done_bytes, self.total_bytes = 0, total_bytes
        self._report()

    def advance(self, count: int) -> None:
        """So many bytes more are done."""
        self.done_bytes += count
        self.check()
        if time.monotonic() - self._reported_at >= _REPORT_SECONDS or self.done_bytes >= self.total_bytes:
            self._report()

    def check(self) -> None:
        """Raises LibraryWorkCancelled when the user no longer wants it."""
        if self._cancelled.is_set():
            raise LibraryWorkCancelled()

    def _report(self) -> None:
        self._reported_at = time.monotonic()
        self._on_progress(self.done_bytes, self.total_bytes)


def sha256_of(path: Path, work: Work) -> str:
    """The file's hash. Raises LibraryWorkCancelled, OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            work.advance(len(block))
    return digest.hexdigest()


def copy_checked(source: Path, target: Path, work: Work) -> str:
    """Copy a file, force it to the disk, read it back and compare; then it appears under its name in one step.

    Returns the sha256. Twice the file's bytes are advanced. Raises LibraryWorkCancelled, DiskTooSmall,
    FolderUnwritable, ModelFileUnreadable; nothing half-written is left.
    """
    half = target.with_name(f".{target.name}.copying")
    try:
        with disk_errors(target.parent, source.stat().st_size):
            target.parent.mkdir(parents=True, exist_ok=True)
            written = _copy(source, half, work)
            if sha256_of(half, work) != written:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            status = source.stat()
            os.utime(half, ns=(status.st_atime_ns, status.st_mtime_ns))
            half.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        raise
    return written


def _copy(source: Path, target: Path, work: Work) -> str:
    digest = hashlib.sha256()
    with _reading(source) as blocks, target.open("wb") as writing:
        for block in blocks:
            digest.update(block)
            writing.write(block)
            work.advance(len(block))
        writing.flush()
        os.fsync(writing.fileno())
        if hasattr(os, "posix_fadvise"):
            # What is read back must come from the disk, not from memory.
            os.posix_fadvise(writing.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.hexdigest()


@contextlib.contextmanager
def _reading(source: Path) -> Iterator[Iterator[bytes]]:
    """The file's blocks; what goes wrong with them is the source's fault, not the target's."""

    def blocks(file: BinaryIO) -> Iterator[bytes]:
        try:
            while block := file.read(BLOCK_BYTES):
                yield block
        except OSError as error:
            raise ModelFileUnreadable(str(source), error.strerror or str(error)) from error

    try:
        file = source.open("rb")
    except OSError as error:
        raise ModelFileUnreadable(str(source), error.strerror or str(error)) from error
    with file:
        yield blocks(file)


@contextlib.contextmanager
def disk_errors(folder: Path, needed_bytes: int = 0) -> Iterator[None]:
    """Turns the operating system's errors about this folder into DiskTooSmall and FolderUnwritable."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskTooSmall(
                path=str(folder), needed_bytes=needed_bytes, free_bytes=free_disk_bytes(folder)
            ) from error
        raise FolderUnwritable(path=str(folder), reason=error.strerror or str(error)) from error
