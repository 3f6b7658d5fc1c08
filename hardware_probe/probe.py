"""Looks at all parts of this computer; a part that fails becomes an issue, never an exception."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hardware_probe.accelerators import looks, parse_survey
from hardware_probe.cpu import parse_cpu, read_cpu
from hardware_probe.disk import parse_disk, read_disk
from hardware_probe.gather import Failed, Found, Late, gather
from hardware_probe.memory import parse_memory, read_memory
from hardware_probe.surroundings import read_surroundings
from hardware_probe.values import Cpu, Disk, HardwareProfile, Memory, Part, ProbeIssue

LIMIT_SECONDS = 4.0
_ADVICE: dict[Part, str] = {"cpu": "cpu_unknown", "memory": "memory_unreadable", "disk": "disk_unknown", "gpu": ""}


def probe_hardware(
    folder: Path, *, engine_devices_command: Sequence[str] | None = None, limit_seconds: float = LIMIT_SECONDS
) -> HardwareProfile:
    """What this computer has; `folder` is where models are kept.

    Takes some milliseconds where no maker's tools are installed, some tenths of a second with an NVIDIA driver or with
    `engine_devices_command`, and never longer than `limit_seconds`: a driver, tool or disk that hangs becomes an issue.
    engine_devices_command: a program that prints the engine's devices, see `sources.engine`; without it no accelerator
    has an `engine_device`. Raises nothing. May be called from any thread; figures of memory and disk are those of this
    moment.
    """
    deadline = time.monotonic() + limit_seconds
    # Known first, for it decides which tools are worth starting; plain files, but a broken driver can block even these.
    first = gather({"surroundings": lambda: read_surroundings(engine_devices_command)}, limit_seconds / 4)
    around = first["surroundings"]
    parts: dict[str, Callable[[], Any]] = {
        "cpu": lambda: parse_cpu(read_cpu()),
        "memory": lambda: parse_memory(read_memory()),
        "disk": lambda: parse_disk(read_disk(folder)),
    }
    sources: dict[str, Callable[[], Any]] = {}
    if isinstance(around, Found):
        sources = dict(looks(around.value, engine_devices_command, deadline - time.monotonic()))
    results = gather(parts | sources, deadline - time.monotonic())
    issues: list[ProbeIssue] = []
    cpu: Cpu | None = _part("cpu", results["cpu"], issues)
    memory: Memory | None = _part("memory", results["memory"], issues)
    disk: Disk | None = _part("disk", results["disk"], issues)
    if not isinstance(around, Found):
        _part("gpu", around, issues)
        return HardwareProfile(cpu=cpu, memory=memory, disk=disk, accelerators=(), issues=tuple(issues))
    survey = parse_survey({name: results[name] for name in sources}, around.value, memory)
    return HardwareProfile(
        cpu=cpu, memory=memory, disk=disk, accelerators=survey.accelerators, issues=(*issues, *survey.issues)
    )


def probe_memory() -> Memory:
    """Main memory at this moment, within the control group's limits. Takes a millisecond. May raise OSError."""
    return parse_memory(read_memory())


def _part(part: Part, result: Found | Failed | Late, issues: list[ProbeIssue]) -> Any:
    match result:
        case Found():
            return result.value
        case Failed():
            detail = f"{type(result.error).__name__}: {result.error}"
        case Late():
            detail = "no answer in time"
    issues.append(ProbeIssue(part=part, detail=detail, expected=False, advice=_ADVICE[part]))
    return None
