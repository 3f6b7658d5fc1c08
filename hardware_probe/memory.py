"""Main memory, within the limits of the control group."""

from __future__ import annotations

from dataclasses import dataclass, field

from hardware_probe.control_group import GroupReadings, parse_memory_grant, read_control_group
from hardware_probe.values import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReadings:
    """The whole machine's memory, and the files of this process's control groups."""

    total_bytes: int
    available_bytes: int
    group: GroupReadings = field(default_factory=GroupReadings)


def read_memory() -> MemoryReadings:
    """Ask the system. May raise OSError."""
    import psutil

    machine = psutil.virtual_memory()
    return MemoryReadings(total_bytes=machine.total, available_bytes=machine.available, group=read_control_group())


def parse_memory(readings: MemoryReadings) -> Memory:
    """Pure. The group's grant can only narrow the machine's figures."""
    grant = parse_memory_grant(readings.group.memory)
    if grant is None or grant.limit_bytes >= readings.total_bytes:
        return Memory(
            total_bytes=readings.total_bytes, available_bytes=readings.available_bytes, limited_by_group=False
        )
    return Memory(
        total_bytes=grant.limit_bytes,
        available_bytes=min(readings.available_bytes, grant.left_bytes),
        limited_by_group=True,
    )
