"""What a Linux control group (version 1 or 2) grants this process: memory and processor time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_FILES = {
    "memory": (
        "memory.max",
        "memory.high",
        "memory.current",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "memory.stat",
    ),
    "cpu": ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us"),
}
# Version 1 writes "no limit" as the largest page-aligned 63-bit number.
_NO_LIMIT_BYTES = 1 << 62

Level = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReadings:
    """Contents of a controller's files, by file name: own group first, then its parents up to the mount's root."""

    memory: tuple[Level, ...] = ()
    cpu: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryGrant:
    """The tightest limit of the group and its parents, and what is left below the limit that leaves least."""

    limit_bytes: int
    left_bytes: int


def read_control_group(proc: Path = Path("/proc/self")) -> GroupReadings:
    """Read the files of this process's groups; whatever is not there is left out. Raises nothing."""
    try:
        membership = (proc / "cgroup").read_text(encoding="utf-8", errors="replace")
        mounts = (proc / "mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return GroupReadings()
    found = {controller: group_folders(membership, mounts, controller) for controller in _FILES}
    return GroupReadings(
        memory=tuple(_read_level(folder, _FILES["memory"]) for folder in found["memory"]),
        cpu=tuple(_read_level(folder, _FILES["cpu"]) for folder in found["cpu"]),
    )


def _read_level(folder: PurePosixPath, names: tuple[str, ...]) -> Level:
    level: dict[str, str] = {}
    for name in names:
        try:
            level[name] = (Path(folder) / name).read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
    return level


def group_folders(membership: str, mounts: str, controller: str) -> tuple[PurePosixPath, ...]:
    """Folders of the group that governs `controller`, own group first, mount point last; empty when there is none.

    membership: /proc/self/cgroup. mounts: /proc/self/mountinfo. A version 1 hierarchy that carries the controller wins
    over the unified one, as it does in the kernel.
    """
    version_1: str | None = None
    unified: str | None = None
    for line in membership.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            version_1 = path
        elif number == "0" and not controllers:
            unified = path
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, tail = before.split(), after.split()
        if len(fields) < 5 or len(tail) < 3:
            continue
        kind, options = tail[0], tail[2].split(",")
        if version_1 is not None and kind == "cgroup" and controller in options:
            return _walk_up(version_1, fields[3], fields[4])
        if version_1 is None and unified is not None and kind == "cgroup2":
            return _walk_up(unified, fields[3], fields[4])
    return ()


def _walk_up(path: str, mount_root: str, mount_point: str) -> tuple[PurePosixPath, ...]:
    """In a container the mount may show only part of the hierarchy, and the group may lie outside of it."""
    mount = PurePosixPath(mount_point)
    group, root = PurePosixPath(path), PurePosixPath(mount_root)
    if ".." in group.parts or not group.is_relative_to(root):
        return (mount,)
    own = mount / group.relative_to(root)
    return (own, *(parent for parent in own.parents if parent.is_relative_to(mount)))


def parse_memory_grant(levels: tuple[Level, ...]) -> MemoryGrant | None:
    """The memory that the groups grant, or None when no level sets a limit.

    File cache is given back by the kernel before a limit hurts, so it counts as left: both lists, for reading a model's
    file twice moves it from the inactive to the active one. Memory file systems are on neither.
    """
    limits: list[int] = []
    left: list[int] = []
    for level in levels:
        limit = min(
            (
                value
                for name in ("memory.max", "memory.high", "memory.limit_in_bytes")
                if (value := _number(level.get(name))) is not None and value < _NO_LIMIT_BYTES
            ),
            default=None,
        )
        if limit is None:
            continue
        used = _number(level.get("memory.current")) or _number(level.get("memory.usage_in_bytes")) or 0
        statistics = dict(line.split(None, 1) for line in level.get("memory.stat", "").splitlines() if " " in line)
        # Version 1 has the group's own figures and, prefixed, those with its children, which `usage` counts.
        prefix = "total_" if "total_inactive_file" in statistics else ""
        lists = (f"{prefix}inactive_file", f"{prefix}active_file", "slab_reclaimable")
        cache = sum(max(0, _number(statistics.get(name)) or 0) for name in lists)
        limits.append(limit)
        left.append(max(0, limit - max(0, used - cache)))
    return MemoryGrant(limit_bytes=min(limits), left_bytes=min(left)) if limits else None


def parse_cpu_quota(levels: tuple[Level, ...]) -> float | None:
    """Processor time granted by the tightest level, in cores; None for no limit."""
    quotas: list[float] = []
    for level in levels:
        quota_text, _, period_text = level.get("cpu.max", "").strip().partition(" ")
        quota = _number(quota_text or level.get("cpu.cfs_quota_us"))
        period = _number(period_text or level.get("cpu.cfs_period_us"))
        if quota is not None and period is not None and quota > 0 and period > 0:
            quotas.append(quota / period)
    return min(quotas, default=None)


def _number(text: str | None) -> int | None:
    try:
        return int((text or "").strip())
    except ValueError:  # "max", or nothing
        return None
