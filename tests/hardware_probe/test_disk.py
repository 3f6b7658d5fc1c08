"""Disks: the kind of the file system, and what lies below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware_probe.disk import DiskReading, find_mount, parse_disk, parse_diskutil, read_disk

MOUNTS = r"""
22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
35 22 0:52 / /data rw,relatime - nfs4 server:/export rw
36 35 259:3 / /data/my\040models rw - xfs /dev/mapper/vg-models rw
41 22 0:60 / /mnt/c rw - 9p C:\134 rw,aname=drvfs
42 22 259:9 / /data rw,relatime - btrfs /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("/home/me", ("ext4", "/dev/nvme0n1p2")),
        ("/data/my models/x", ("xfs", "/dev/mapper/vg-models")),
        ("/data/other", ("btrfs", "/dev/sdb1")),
        ("/mnt/c/Users", ("9p", "C:\\134")),
        ("/database", ("ext4", "/dev/nvme0n1p2")),
    ],
)
def test_the_topmost_of_the_longest_mount_points_counts(folder: str, found: tuple[str, str]) -> None:
    assert find_mount(MOUNTS, Path(folder)) == found


@pytest.mark.parametrize(
    ("file_system", "device", "rotating", "kind"),
    [
        ("ext4", "nvme0n1p2", False, "ssd"),
        ("ext4", "sda1", True, "hdd"),
        ("ext4", "vda1", True, "unknown"),
        ("ext4", "vda1", False, "ssd"),
        ("nfs4", "export", None, "network"),
        ("cifs", "share", None, "network"),
        ("9p", "C:\\", None, "network"),
        ("fuse.sshfs", "", None, "network"),
        ("overlay", "overlay", None, "unknown"),
    ],
)
def test_kinds(file_system: str, device: str, rotating: bool | None, kind: str) -> None:
    reading = DiskReading(
        folder="/m", total_bytes=2, free_bytes=1, file_system=file_system, device=device, rotating=rotating
    )
    assert parse_disk(reading).kind == kind


def test_a_macs_disk() -> None:
    plist = '<?xml version="1.0"?><plist version="1.0"><dict><key>SolidState</key>{}</dict></plist>'
    assert parse_diskutil(plist.format("<true/>")) is False
    assert parse_diskutil(plist.format("<false/>")) is True
    assert parse_diskutil("Could not find disk") is None


def test_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    disk = parse_disk(read_disk(tmp_path / "not" / "there"))
    assert disk.folder.endswith("there")
    assert 0 < disk.free_bytes <= disk.total_bytes
