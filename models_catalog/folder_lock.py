"""A lock on a file that the operating system releases when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class LockHeld(Exception):
    """Somebody else holds the lock."""


class FileLock:
    """Held from construction until `release`; excludes other processes and other threads of this one."""

    def __init__(self, path: Path) -> None:
        """Raises LockHeld, or OSError if the file cannot be made."""
        self._path = path
        while True:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _take(self._descriptor)
            except OSError as error:
                os.close(self._descriptor)
                raise LockHeld from error
            # The former holder may have removed the file between our opening and locking it: such a lock is on nothing.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._descriptor), path.stat()):
                    return
            os.close(self._descriptor)

    def release(self, *, remove: bool = False) -> None:
        """Lets others in; removes the file first when it is no longer wanted (Windows removes it only afterwards)."""
        if remove and sys.platform != "win32":
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        if remove and sys.platform == "win32":
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
