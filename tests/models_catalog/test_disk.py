from __future__ import annotations

import errno
from pathlib import Path

import pytest

from models_catalog.disk import disk_errors, free_disk_bytes
from models_catalog.errors import DiskTooSmall, FolderUnwritable


def test_disk_errors_become_the_catalogues(tmp_path: Path) -> None:
    with pytest.raises(DiskTooSmall) as full, disk_errors(tmp_path, lambda: 77):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert full.value.needed_bytes == 77
    assert full.value.free_bytes > 0
    with pytest.raises(FolderUnwritable) as locked, disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert locked.value.reason == "Permission denied"


def test_free_space_is_known_for_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "a" / "b") > 0
