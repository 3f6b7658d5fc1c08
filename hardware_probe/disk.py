"""Room on the disk that holds a folder, which need not exist yet, and how fast that disk is likely to be."""

from __future__ import annotations

import plistlib
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from hardware_probe.tool import run_tool
from hardware_probe.values import Disk, DiskKind

# File systems that another computer serves; "9p" also is how WSL sees the disks of Windows, at a server's speed.
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|ncpfs|afs|9p|ceph|glusterfs|lustre|gpfs|beegfs|davfs|webdav|afpfs"
    r"|fuse\.(sshfs|rclone|glusterfs|s3fs|davfs2|juicefs|cephfs)"
)
# Virtual machines call any disk a rotating one, whatever it is on the host.
_VIRTUAL = re.compile(r"(vd|xvd)[a-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskReading:
    """file_system, device: as the system writes them, "" where it does not tell. rotating: None for unknown."""

    folder: str
    total_bytes: int
    free_bytes: int
    file_system: str = ""
    device: str = ""
    rotating: bool | None = None


def read_disk(folder: Path) -> DiskReading:
    """Ask the system. May raise OSError; may hang where a network disk is gone."""
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    usage = shutil.disk_usage(existing)
    file_system, device, rotating = _read_kind(existing.resolve())
    return DiskReading(
        folder=str(folder),
        total_bytes=usage.total,
        free_bytes=usage.free,
        file_system=file_system,
        device=device,
        rotating=rotating,
    )


def _read_kind(folder: Path) -> tuple[str, str, bool | None]:
    if sys.platform == "linux":
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
        file_system, source = find_mount(mounts, folder)
        return file_system, Path(source).name, _linux_rotating(source)
    if sys.platform == "darwin":
        return "", "", parse_diskutil(run_tool(("diskutil", "info", "-plist", _mac_mount(folder)), 2.0).output)
    if sys.platform == "win32":
        import ctypes

        # Fixed disks stay "unknown": telling them apart needs a device handle, which not every user may open.
        remote = 4
        return ("smb" if ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == remote else ""), "", None
    return "", "", None


def _mac_mount(folder: Path) -> str:
    while not folder.is_mount():
        folder = folder.parent
    return str(folder)


def find_mount(mounts: str, folder: Path) -> tuple[str, str]:
    """Pure. Kind and source of the file system that holds the folder, from /proc/self/mountinfo; "" for unknown.

    The last of the longest fitting mount points counts: it lies on top of the others.
    """
    best, found = -1, ("", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, tail = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(tail) < 2:
            continue
        point = re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), fields[4])
        if folder.is_relative_to(point) and len(point) >= best:
            best, found = len(point), (tail[0], tail[1])
    return found


def _linux_rotating(source: str) -> bool | None:
    """Asks the disk below partitions, encryption and volumes: it rotates if one of its disks does."""
    try:
        name = Path(source).resolve(strict=True).name
        block = (Path("/sys/class/block") / name).resolve(strict=True)
        return _rotates(block, depth=8)
    except OSError:
        return None


def _rotates(block: Path, depth: int) -> bool | None:
    slaves = list((block / "slaves").iterdir()) if (block / "slaves").is_dir() else []
    if slaves and depth:
        answers = [_rotates(slave.resolve(strict=True), depth - 1) for slave in slaves]
        return True if True in answers else None if None in answers else False
    whole = block.parent if (block / "partition").exists() else block
    return (whole / "queue" / "rotational").read_text(encoding="ascii", errors="replace").strip() == "1"


def parse_diskutil(text: str) -> bool | None:
    """Pure. Whether the disk rotates, from `diskutil info -plist`; None for unknown."""
    try:
        known = plistlib.loads(text.encode()).get("SolidState")
    except Exception:  # plistlib raises whatever its XML parser raises
        return None
    return None if known is None else not known


def parse_disk(reading: DiskReading) -> Disk:
    """Pure."""
    return Disk(
        folder=reading.folder, total_bytes=reading.total_bytes, free_bytes=reading.free_bytes, kind=_kind(reading)
    )


def _kind(reading: DiskReading) -> DiskKind:
    if _NETWORK.fullmatch(reading.file_system.lower()):
        return "network"
    if reading.rotating is None or (reading.rotating and _VIRTUAL.match(reading.device)):
        return "unknown"
    return "hdd" if reading.rotating else "ssd"
