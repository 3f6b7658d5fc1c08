"""The processor: name, cores, and how many of them this process may use."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hardware_probe.control_group import GroupReadings, parse_cpu_quota, read_control_group
from hardware_probe.values import Cpu


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuReadings:
    """What the system says, as it says it.

    description: /proc/cpuinfo, or a name on its own where there is no such file. affinity: numbers of the hardware
    threads that this process may run on. siblings: per hardware thread, the list of threads on its core ("0,4").
    """

    description: str
    machine: str
    logical_cores: int
    physical_cores: int | None
    affinity: frozenset[int]
    siblings: Mapping[int, str] = field(default_factory=dict)
    group: GroupReadings = field(default_factory=GroupReadings)


def read_cpu() -> CpuReadings:
    """Ask the system. May raise OSError."""
    import psutil

    logical = psutil.cpu_count() or os.cpu_count() or 1
    affinity = frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else _affinity_elsewhere(logical)
    return CpuReadings(
        description=_read_description(),
        machine=platform.machine(),
        logical_cores=logical,
        physical_cores=psutil.cpu_count(logical=False),
        affinity=affinity,
        siblings=_read_siblings(affinity),
        group=read_control_group(),
    )


def _affinity_elsewhere(logical: int) -> frozenset[int]:
    if sys.platform == "win32":
        import psutil

        return frozenset(psutil.Process().cpu_affinity())
    return frozenset(range(logical))


def _read_description() -> str:
    if sys.platform == "linux":
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
    return platform.processor()


def _read_siblings(affinity: frozenset[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for number in affinity:
        try:
            path = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
            found[number] = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
    return found


def parse_cpu(readings: CpuReadings) -> Cpu:
    """Pure. Cores in use are told apart by their sibling lists; without these, as many as the mask allows."""
    physical = readings.physical_cores or readings.logical_cores
    threads = len(readings.affinity) or readings.logical_cores
    cores = len(set(readings.siblings.values())) if len(readings.siblings) == threads else min(physical, threads)
    return Cpu(
        name=_name(readings.description) or readings.machine or "?",
        physical_cores=physical,
        logical_cores=readings.logical_cores,
        usable_cores=cores,
        usable_threads=threads,
        quota_cores=parse_cpu_quota(readings.group.cpu),
        performance_cores=cores,
    )


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
