"""The part file of an unfinished download and the journal that says which of its bytes can be relied on.

Beside the file to be, in `.NAME.partial/`: `bytes` (the part file), `journal.json`, `lock`, and archives in progress.
A checkpoint forces the part file to the disk and then replaces the journal; the journal therefore never claims a byte
that a kill -9 or a power cut could take away. What came after the last checkpoint is fetched again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from models_catalog.errors import DiskTooSmall, FetchAlreadyRunning, FolderUnwritable
from models_catalog.transfer.extents import Extent, covered_bytes, missing_ranges, sound, with_extent
from models_catalog.transfer.folder_lock import FileLock, LockHeld
from models_catalog.transfer.patience import Patience


class _Journal(msgspec.Struct, frozen=True, kw_only=True):
    sha256: str
    size_bytes: int
    extents: tuple[Extent, ...]


class Part:
    """The bytes of one file that have arrived, on disk. Owned by one download; `write` may be called from any thread.

    Disk errors are raised as DiskTooSmall or FolderUnwritable.
    """

    def __init__(self, target: Path, *, sha256: str, size_bytes: int, patience: Patience) -> None:
        """Opens or begins the part of `target`. Raises FetchAlreadyRunning if another download has it."""
        self.target = target
        self.size_bytes = size_bytes
        self._sha256 = sha256
        self._patience = patience
        self._mutex = threading.Lock()
        self.folder = target.parent / f".{target.name}.partial"
        with disk_errors(target.parent):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock = FileLock(self.folder / "lock")
            except LockHeld as error:
                raise FetchAlreadyRunning(path=str(target)) from error
            try:
                self._file = os.fdopen(
                    os.open(self.folder / "bytes", os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644),
                    "r+b",
                    buffering=0,
                )
                self._extents = self._read_journal()
                self._file.truncate(min(os.fstat(self._file.fileno()).st_size, size_bytes if self._extents else 0))
            except BaseException:
                self._lock.release()
                raise
        self._pending_bytes = 0
        self._checkpoint_at = time.monotonic()
        self._closed = False

    def disk_errors(self) -> AbstractContextManager[None]:
        """Turns the operating system's errors about this part into the catalogue's."""
        return disk_errors(self.target.parent, self._missing_bytes)

    @property
    def path(self) -> Path:
        """The part file, for reading."""
        return self.folder / "bytes"

    @property
    def extents(self) -> tuple[Extent, ...]:
        """What is there, and from whom."""
        return self._extents

    @property
    def received_bytes(self) -> int:
        """How many of the file's bytes are in the part file."""
        return self.covered_bytes(0, self.size_bytes)

    @property
    def contributors(self) -> frozenset[str]:
        """Names of the sources that the bytes came from, in this run and earlier ones."""
        return frozenset(extent.source for extent in self._extents)

    def missing(self, start: int = 0, end: int | None = None) -> tuple[tuple[int, int], ...]:
        """Ranges inside [start, end) that are still to be fetched, in order."""
        return missing_ranges(self._extents, start, self.size_bytes if end is None else end)

    def covered_bytes(self, start: int, end: int) -> int:
        """How many bytes inside [start, end) are there."""
        return covered_bytes(self._extents, start, end)

    def write(self, offset: int, data: bytes, source: str, *, reproducible: bool = False) -> None:
        """Puts bytes in their place; a checkpoint follows when it is time. After `close` nothing is written.

        reproducible: the bytes can be had again without the network; the caller makes the checkpoint itself.
        """
        with self._mutex, self.disk_errors():
            if self._closed:
                return
            self._file.seek(offset)
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
            self._extents = with_extent(self._extents, Extent(start=offset, end=offset + len(data), source=source))
            self._pending_bytes += len(data)
            late = time.monotonic() - self._checkpoint_at >= self._patience.checkpoint_seconds
            if not reproducible and (late or self._pending_bytes >= self._patience.checkpoint_bytes):
                self._checkpoint()

    def checkpoint(self) -> None:
        """Makes everything written so far survive whatever happens next."""
        with self._mutex, self.disk_errors():
            self._checkpoint()

    def discard(self) -> None:
        """Forgets every byte: they turned out to be wrong."""
        with self._mutex, self.disk_errors():
            self._extents = ()
            self._write_journal()
            self._file.truncate(0)
            for archive in self.folder.glob("*.archive"):
                archive.unlink(missing_ok=True)

    def move_into_place(self) -> None:
        """The whole, checked file appears under its name in one step. Closes the part."""
        with self._mutex, self.disk_errors():
            os.fsync(self._file.fileno())
            self._file.close()
            self._closed = True
            self.path.replace(self.target)
            sync_folder(self.target.parent)
            self._remove()

    def abandon(self) -> None:
        """The file is there already: nothing of the part is needed. Closes the part."""
        with self._mutex:
            self._closed = True
            self._file.close()
            self._remove()

    def close(self) -> None:
        """Keeps what arrived and lets others in. May be called twice, and after `move_into_place`."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(OSError):
                self._checkpoint()
            self._file.close()
            if self._extents or any(self.folder.glob("*.archive")):
                self._lock.release()
            else:
                self._remove()

    def _remove(self) -> None:
        self._lock.release(remove=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _missing_bytes(self) -> int:
        return self.size_bytes - self.received_bytes

    def _checkpoint(self) -> None:
        if self._pending_bytes:
            os.fsync(self._file.fileno())
            self._write_journal()
        self._pending_bytes = 0
        self._checkpoint_at = time.monotonic()

    def _read_journal(self) -> tuple[Extent, ...]:
        try:
            journal = msgspec.json.decode((self.folder / "journal.json").read_bytes(), type=_Journal)
        except (FileNotFoundError, msgspec.DecodeError):
            return ()
        if journal.sha256 != self._sha256 or journal.size_bytes != self.size_bytes:
            return ()
        # A part file shorter than its journal has been meddled with: none of it can be relied on.
        held_bytes = os.fstat(self._file.fileno()).st_size
        return journal.extents if sound(journal.extents, min(self.size_bytes, held_bytes)) else ()

    def _write_journal(self) -> None:
        path = self.folder / "journal.json"
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(
                msgspec.json.encode(_Journal(sha256=self._sha256, size_bytes=self.size_bytes, extents=self._extents))
            )
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


@contextlib.contextmanager
def disk_errors(path: Path, needed_bytes: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """Turns the operating system's errors about this folder into the catalogue's. needed_bytes: what is to come."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskTooSmall(path=str(path), needed_bytes=needed_bytes(), free_bytes=free_disk_bytes(path)) from error
        raise FolderUnwritable(path=str(path), reason=error.strerror or str(error)) from error


def free_disk_bytes(path: Path) -> int:
    """Free bytes, for this user, on the disk that holds the path or will hold it; 0 if that cannot be told."""
    for place in (path, *path.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(place).free
    return 0


def sync_folder(path: Path) -> None:
    """Makes a rename in the folder survive a power cut."""
    # Windows cannot open folders; its rename is as durable as it gets.
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
