"""Main memory within and without a control group."""

from __future__ import annotations

from hardware_probe.control_group import GroupReadings
from hardware_probe.memory import MemoryReadings, parse_memory, read_memory
from hardware_probe.values import Memory

GIB = 1024**3


def _readings(limit: str, used: int) -> MemoryReadings:
    group = GroupReadings(memory=({"memory.max": limit, "memory.current": str(used)},))
    return MemoryReadings(total_bytes=16 * GIB, available_bytes=5 * GIB, group=group)


def test_the_whole_machine() -> None:
    expected = Memory(total_bytes=16 * GIB, available_bytes=5 * GIB, limited_by_group=False)
    assert parse_memory(_readings("max", 0)) == expected
    assert parse_memory(_readings(str(64 * GIB), 0)) == expected


def test_a_group_narrows_both_figures() -> None:
    narrowed = parse_memory(_readings(str(4 * GIB), 1 * GIB))
    assert narrowed == Memory(total_bytes=4 * GIB, available_bytes=3 * GIB, limited_by_group=True)


def test_a_group_cannot_grant_what_the_machine_has_not() -> None:
    assert parse_memory(_readings(str(12 * GIB), 0)).available_bytes == 5 * GIB


def test_this_computer_has_memory() -> None:
    memory = parse_memory(read_memory())
    assert 0 < memory.available_bytes <= memory.total_bytes
