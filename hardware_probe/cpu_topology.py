"""Which cores are fast and which are frugal, on processors that have both."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

_SYSTEM = Path("/sys/devices")
# A core of less than this share of the strongest one's capacity is an efficiency core. Phones' and boards' middle
# cores (870 of 1024) count as fast, small ones (about 250 to 450) do not.
_FAST_SHARE = 0.6
_CORE_RELATION = 0


def parse_cpu_list(text: str) -> frozenset[int]:
    """Pure. Numbers of a kernel list such as "0-3,8,10-11"; what cannot be read is left out."""
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        if first.isdecimal() and (last.isdecimal() if dash else not last) and len(part) < 14:
            numbers.update(range(int(first), min(int(last or first), int(first) + 100_000) + 1))
    return frozenset(numbers)


def read_efficiency_threads(numbers: frozenset[int]) -> frozenset[int]:
    """Of the given hardware threads, those on efficiency cores, as Linux knows them. Raises nothing."""
    frugal = parse_cpu_list(_content(_SYSTEM / "cpu_atom" / "cpus"))
    if frugal and _content(_SYSTEM / "cpu_core" / "cpus"):
        return frugal & numbers
    capacities = {}
    for number in numbers:
        text = _content(_SYSTEM / "system" / "cpu" / f"cpu{number}" / "cpu_capacity")
        if text.isdecimal():
            capacities[number] = int(text)
    return slow_by_capacity(capacities)


def slow_by_capacity(capacities: Mapping[int, int]) -> frozenset[int]:
    """Pure. ARM kernels give each hardware thread a capacity, 1024 for the strongest."""
    strongest = max(capacities.values(), default=0)
    return frozenset(number for number, capacity in capacities.items() if capacity < _FAST_SHARE * strongest)


def read_numa_nodes() -> int:
    """Memory nodes, as Linux lists them; 1 where it does not. Raises nothing."""
    return max(1, len(parse_cpu_list(_content(_SYSTEM / "system" / "node" / "has_memory"))))


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def parse_windows_cores(raw: bytes) -> tuple[int, int]:
    """Pure. Performance and efficiency cores from GetLogicalProcessorInformationEx(RelationProcessorCore).

    Each record: relation and size (32 bits each), flags and efficiency class (8 bits each); the highest class is the
    fastest. (0, 0) for what cannot be read.
    """
    classes: list[int] = []
    position = 0
    while position + 10 <= len(raw):
        relation, size, _, efficiency = struct.unpack_from("<IIBB", raw, position)
        if size < 10 or position + size > len(raw):
            return 0, 0
        if relation == _CORE_RELATION:
            classes.append(efficiency)
        position += size
    fastest = max(classes, default=0)
    fast = sum(1 for one in classes if one == fastest)
    return fast, len(classes) - fast
