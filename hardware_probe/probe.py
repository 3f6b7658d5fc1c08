"""Looks at all parts of this computer; a part that fails becomes an issue, never an exception."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hardware_probe.cpu import parse_cpu, read_cpu
from hardware_probe.disk import read_disk
from hardware_probe.gpu import parse_gpus, read_gpus
from hardware_probe.memory import parse_memory, read_memory
from hardware_probe.values import Accelerator, HardwareProfile, Memory, Part, ProbeIssue

Found = TypeVar("Found")


def probe_hardware(folder: Path) -> HardwareProfile:
    """What this computer has; `folder` is where models are kept. Takes milliseconds, with an NVIDIA card up to 10 s.

    Raises nothing. May be called from any thread; figures of memory and disk are those of this moment.
    """
    issues: list[ProbeIssue] = []
    cpu = _attempt("cpu", lambda: parse_cpu(read_cpu()), issues)
    memory = _attempt("memory", lambda: parse_memory(read_memory()), issues)
    disk = _attempt("disk", lambda: read_disk(folder), issues)
    accelerators: tuple[Accelerator, ...] = ()
    looked = _attempt("gpu", lambda: parse_gpus(read_gpus()), issues)
    if looked is not None:
        accelerators, issue = looked
        issues.extend([issue] if issue else [])
    return HardwareProfile(cpu=cpu, memory=memory, disk=disk, accelerators=accelerators, issues=tuple(issues))


def probe_memory() -> Memory:
    """Main memory at this moment, within the control group's limits. Takes a millisecond. May raise OSError."""
    return parse_memory(read_memory())


def _attempt(part: Part, look: Callable[[], Found], issues: list[ProbeIssue]) -> Found | None:
    try:
        return look()
    except Exception as error:  # whatever a strange system does, the app starts
        issues.append(ProbeIssue(part=part, detail=f"{type(error).__name__}: {error}", expected=False))
        return None
