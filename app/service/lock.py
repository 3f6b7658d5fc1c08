"""One service per data folder: a lock that the operating system drops when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from app.errors import AlreadyRunning, DataFolderUnusable
from app.paths import read_runtime


class ServiceLock:
    """Held from `take` until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def take(self) -> None:
        """Raises AlreadyRunning when another process holds it, DataFolderUnusable when the file cannot be made."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise DataFolderUnusable(path=str(self._path), reason=error.strerror or str(error)) from error
        file = os.fdopen(descriptor, "r+b", buffering=0)
        if not _lock(file):
            file.close()
            running = read_runtime()
            raise AlreadyRunning(pid=running.pid if running else 0, address=running.base_url if running else "")
        self._file = file

    def release(self) -> None:
        """Give the lock up. The file stays: removing it would let two services lock two files of one name."""
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
