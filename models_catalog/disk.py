"""The disk that models lie on: its errors as the catalogue's, its free space, and renames that survive a power cut."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from models_catalog.errors import DiskTooSmall, FolderUnwritable


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
