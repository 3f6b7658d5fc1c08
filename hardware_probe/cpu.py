"""The processor: name, cores, what it can do, and how many of its cores this process may use."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hardware_probe import cpu_instructions
from hardware_probe.control_group import GroupReadings, parse_cpu_quota, read_control_group
from hardware_probe.cpu_topology import parse_windows_cores, read_efficiency_threads, read_numa_nodes
from hardware_probe.tool import run_tool
from hardware_probe.values import Cpu

_SYSCTL_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuReadings:
    """What the system says, as it says it.

    description: /proc/cpuinfo, or a name on its own where there is no such file. affinity: numbers of the hardware
    threads that this process may run on. siblings: per hardware thread, the list of threads on its core ("0,4").
    efficiency_threads: hardware threads on efficiency cores. core_counts: performance and efficiency cores where the
    system counts cores but does not number them. instruction_sets: where they are not in the description.
    """

    description: str
    machine: str
    logical_cores: int
    physical_cores: int | None
    affinity: frozenset[int]
    siblings: Mapping[int, str] = field(default_factory=dict)
    efficiency_threads: frozenset[int] = frozenset()
    core_counts: tuple[int, int] | None = None
    instruction_sets: tuple[str, ...] | None = None
    numa_nodes: int = 1
    group: GroupReadings = field(default_factory=GroupReadings)


def read_cpu() -> CpuReadings:
    """Ask the system. May raise OSError."""
    import psutil

    logical, physical = psutil.cpu_count() or os.cpu_count() or 1, psutil.cpu_count(logical=False)
    if sys.platform == "linux":
        affinity = frozenset(os.sched_getaffinity(0))
        return CpuReadings(
            description=Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"),
            machine=platform.machine(),
            logical_cores=logical,
            physical_cores=physical,
            affinity=affinity,
            siblings=_read_siblings(affinity),
            efficiency_threads=read_efficiency_threads(affinity),
            numa_nodes=read_numa_nodes(),
            group=read_control_group(),
        )
    if sys.platform == "darwin":
        answer = run_tool(("sysctl", "hw", "machdep.cpu"), _SYSCTL_SECONDS)
        return from_sysctl(parse_sysctl(answer.output), logical=logical, physical=physical)
    return _read_elsewhere(logical, physical)


def _read_elsewhere(logical: int, physical: int | None) -> CpuReadings:
    import psutil

    name, affinity = platform.processor(), frozenset(range(logical))
    counts, sets = None, None
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
            name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
        affinity = frozenset(psutil.Process().cpu_affinity())
        counts, sets = _windows_cores(), _windows_instructions()
    return CpuReadings(
        description=name,
        machine=platform.machine(),
        logical_cores=logical,
        physical_cores=physical,
        affinity=affinity,
        core_counts=counts,
        instruction_sets=sets,
    )


def _windows_cores() -> tuple[int, int] | None:
    if sys.platform != "win32":
        return None
    import ctypes

    ask, relation = ctypes.windll.kernel32.GetLogicalProcessorInformationEx, 0
    size = ctypes.c_ulong(0)
    ask(relation, None, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    return parse_windows_cores(buffer.raw) if ask(relation, buffer, ctypes.byref(size)) else None


def _windows_instructions() -> tuple[str, ...] | None:
    if sys.platform != "win32":
        return None
    import ctypes

    present = ctypes.windll.kernel32.IsProcessorFeaturePresent
    return cpu_instructions.from_windows(number for number in cpu_instructions.WINDOWS_FEATURES if present(number))


def _read_siblings(affinity: frozenset[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for number in affinity:
        try:
            path = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
            found[number] = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
    return found


def parse_sysctl(text: str) -> dict[str, str]:
    """Pure. Names and values of lines "hw.ncpu: 8"."""
    return {name: value.strip() for name, colon, value in (line.partition(":") for line in text.splitlines()) if colon}


def from_sysctl(values: Mapping[str, str], *, logical: int, physical: int | None) -> CpuReadings:
    """Pure. macOS has no affinity and no groups; it numbers kinds of cores from the fastest, 0."""
    fast, slow = values.get("hw.perflevel0.physicalcpu", ""), values.get("hw.perflevel1.physicalcpu", "")
    return CpuReadings(
        description=values.get("machdep.cpu.brand_string", ""),
        machine=platform.machine(),
        logical_cores=logical,
        physical_cores=physical,
        affinity=frozenset(range(logical)),
        core_counts=(int(fast), int(slow or 0)) if fast.isdecimal() and (slow or "0").isdecimal() else None,
        instruction_sets=cpu_instructions.from_sysctl(values),
    )


def parse_cpu(readings: CpuReadings) -> Cpu:
    """Pure. Cores in use are told apart by their sibling lists; without these, as many as the mask allows."""
    physical = readings.physical_cores or readings.logical_cores
    threads = len(readings.affinity) or readings.logical_cores
    cores = len(set(readings.siblings.values())) if len(readings.siblings) == threads else min(physical, threads)
    frugal = _efficiency_cores(readings, cores)
    sets = readings.instruction_sets
    return Cpu(
        name=_name(readings.description) or readings.machine or "?",
        physical_cores=physical,
        logical_cores=readings.logical_cores,
        usable_cores=cores,
        usable_threads=threads,
        quota_cores=parse_cpu_quota(readings.group.cpu),
        performance_cores=cores - frugal,
        efficiency_cores=frugal,
        instruction_sets=cpu_instructions.from_cpuinfo(readings.description) if sets is None else sets,
        numa_nodes=readings.numa_nodes,
    )


def _efficiency_cores(readings: CpuReadings, cores: int) -> int:
    """Of the usable cores. A mask that leaves only efficiency cores makes them the fast ones: there are no others."""
    if readings.core_counts is not None:
        fast, slow = readings.core_counts
        # The mask may cut off some; the fast ones are taken to stay, as nobody masks these first.
        frugal = min(slow, max(0, cores - fast))
    else:
        ours = readings.efficiency_threads & readings.affinity
        frugal = len({readings.siblings.get(number, str(number)) for number in ours})
    return frugal if frugal < cores else 0


def _name(description: str) -> str:
    entries: dict[str, str] = {}
    for line in description.splitlines():
        key, colon, value = line.partition(":")
        if colon and value.strip():
            entries.setdefault(key.strip().lower(), value.strip())
    # x86 and LoongArch say "model name"; ARM boards "model" or "hardware". A Windows or macOS name is one plain line.
    for key in ("model name", "cpu model", "hardware", "model"):
        if key in entries and not entries[key].isdigit():
            return " ".join(entries[key].split())
    return "" if entries else " ".join(description.split())
