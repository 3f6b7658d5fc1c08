"""Room on the disk that holds a folder, which need not exist yet."""

from __future__ import annotations

import shutil
from pathlib import Path

from hardware_probe.values import Disk


def read_disk(folder: Path) -> Disk:
    """Room for `folder` on its disk, for a user who is not root. May raise OSError."""
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    usage = shutil.disk_usage(existing)
    return Disk(folder=str(folder), total_bytes=usage.total, free_bytes=usage.free)
