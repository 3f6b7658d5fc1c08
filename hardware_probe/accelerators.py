"""All sources of knowledge about accelerators: which are asked on this system, and what is made of their silence."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hardware_probe.gather import Failed, Found, Late
from hardware_probe.join import join
from hardware_probe.sighting import Sighting
from hardware_probe.sources import (
    amd,
    apple,
    ascend,
    engine,
    hygon,
    iluvatar,
    intel,
    moore_threads,
    nvidia,
    pci,
    vulkan,
)
from hardware_probe.sources.clients import Client, read_clients, with_users
from hardware_probe.sources.nvidia import DriverRefusal
from hardware_probe.sources.pci import PciReading, parse_pci
from hardware_probe.tool import ToolAnswer
from hardware_probe.values import Accelerator, Memory, ProbeIssue, Vendor

Parser = Callable[[str], tuple[Sighting, ...] | DriverRefusal | None]
Answers = Mapping[str, Found | Failed | Late]

_PARSERS: Mapping[str, Parser] = {
    nvidia.SOURCE: nvidia.parse_nvidia,
    amd.ROCM_SOURCE: amd.parse_rocm_smi,
    amd.AMD_SOURCE: amd.parse_amd_smi,
    intel.SOURCE: intel.parse_xpu_smi,
    apple.SOURCE: apple.parse_apple,
    ascend.SOURCE: ascend.parse_ascend,
    moore_threads.SOURCE: moore_threads.parse_moore_threads,
    hygon.SOURCE: hygon.parse_hygon,
    iluvatar.SOURCE: iluvatar.parse_iluvatar,
    engine.SOURCE: engine.parse_engine_devices,
    vulkan.SOURCE: vulkan.parse_vulkan,
}
# Kernel drivers with which these makers' cards can compute; nouveau and no driver at all cannot.
_KERNEL_DRIVERS: Mapping[Vendor, frozenset[str]] = {
    "nvidia": frozenset({"nvidia"}),
    "amd": frozenset({"amdgpu"}),
}
# Kernel drivers that tell what each program holds.
_TELLING_DRIVERS = frozenset({"amdgpu", "i915", "xe"})
_HIDING = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What decides how answers are understood. hidden: variables that hide cards from programs, which are set."""

    cards_on_bus: tuple[PciReading, ...] = ()
    clients: tuple[Client, ...] = ()
    wsl: bool = False
    hidden: tuple[str, ...] = ()
    has_engine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The accelerators, and what was odd about them."""

    accelerators: tuple[Accelerator, ...] = ()
    issues: tuple[ProbeIssue, ...] = field(default=())


def read_surroundings(engine_devices_command: Sequence[str] | None) -> Surroundings:
    """Files and variables only; no process. Raises nothing."""
    on_bus = pci.read_pci() if sys.platform == "linux" else ()
    return Surroundings(
        cards_on_bus=on_bus,
        clients=read_clients() if any(card.driver in _TELLING_DRIVERS for card in on_bus) else (),
        wsl=sys.platform == "linux" and Path("/dev/dxg").exists(),
        hidden=tuple(name for name in _HIDING if name in os.environ),
        has_engine=bool(engine_devices_command),
    )


def looks(
    surroundings: Surroundings, engine_devices_command: Sequence[str] | None, limit_seconds: float
) -> dict[str, Callable[[], ToolAnswer]]:
    """The sources worth asking. Each looks for its tool first, and starts nothing where there is none.

    AMD's tools take a second and say nothing that the kernel has not said; Vulkan wakes up every card.
    """
    known = parse_pci(surroundings.cards_on_bus)
    readers: dict[str, Callable[[float], ToolAnswer]] = {
        nvidia.SOURCE: nvidia.read_nvidia,
        apple.SOURCE: apple.read_apple,
        intel.SOURCE: intel.read_xpu_smi,
        ascend.SOURCE: ascend.read_ascend,
        moore_threads.SOURCE: moore_threads.read_moore_threads,
        hygon.SOURCE: hygon.read_hygon,
        iluvatar.SOURCE: iluvatar.read_iluvatar,
        engine.SOURCE: partial(engine.read_engine_devices, engine_devices_command),
    }
    if not _knows_memory(known, "amd"):
        readers |= {amd.ROCM_SOURCE: amd.read_rocm_smi, amd.AMD_SOURCE: amd.read_amd_smi}
    if sys.platform == "win32" or any(one.vendor == "intel" and one.total_bytes is None for one in known):
        readers[vulkan.SOURCE] = vulkan.read_vulkan
    # A tool is given up a little before everybody is, so that it can still be told from one that was never started.
    return {name: partial(read, limit_seconds * 0.9) for name, read in readers.items()}


def _knows_memory(known: tuple[Sighting, ...], vendor: Vendor) -> bool:
    ours = [one for one in known if one.vendor == vendor]
    return bool(ours) and all(one.total_bytes is not None for one in ours)


def parse_survey(answers: Answers, surroundings: Surroundings, memory: Memory | None) -> Survey:
    """Pure. What all sources say together."""
    issues: list[ProbeIssue] = []
    sightings: list[Sighting] = []
    for name, parser in _PARSERS.items():
        answer = answers.get(name)
        if answer is not None:
            sightings += _understand(name, parser, answer, issues)
    on_bus = with_users(parse_pci(surroundings.cards_on_bus), surroundings.clients)
    accelerators = join([*sightings, *on_bus], memory, wsl=surroundings.wsl)
    nvml = answers.get(nvidia.SOURCE)
    nvml_started = not (isinstance(nvml, Found) and nvml.value.ending == "absent")
    issues += _missing_drivers(surroundings, sightings, nvml_started=nvml_started)
    issues += _oddities(accelerators, surroundings)
    if _has_answered(answers.get(engine.SOURCE)) and not surroundings.hidden:
        issues += _unused(accelerators, {issue.advice for issue in issues})
    if not accelerators and not issues:
        issues.append(_issue("no accelerator found", advice="no_accelerator", expected=True))
    return Survey(accelerators=accelerators, issues=tuple(issues))


def _understand(
    name: str, parser: Parser, answer: Found | Failed | Late, issues: list[ProbeIssue]
) -> tuple[Sighting, ...]:
    if isinstance(answer, Failed):
        issues.append(_issue(f"{name}: {type(answer.error).__name__}: {answer.error}", advice="tool_failed"))
        return ()
    tool = ToolAnswer(ending="too_slow") if isinstance(answer, Late) else answer.value
    assert isinstance(tool, ToolAnswer)
    match tool.ending:
        case "absent":
            return ()
        case "too_slow":
            advice = "engine_hangs" if name == engine.SOURCE else "driver_hangs"
            issues.append(_issue(f"{name} did not answer in time", advice=advice))
        case "too_much":
            issues.append(_issue(f"{name} wrote without end", advice="tool_failed"))
        case "failed" | "done":
            return _parse(name, parser, tool, issues)
    return ()


def _parse(name: str, parser: Parser, tool: ToolAnswer, issues: list[ProbeIssue]) -> tuple[Sighting, ...]:
    """A tool may end with an error and still have said something worth hearing."""
    found: Any = parser(tool.output)
    if isinstance(found, DriverRefusal):
        if not found.absent:
            mismatch = "mismatch" in found.message.lower()
            issues.append(_issue(f"{name}: {found.message}", advice="restart_computer" if mismatch else "tool_failed"))
        return ()
    if found is None or (tool.ending == "failed" and not found):
        code = f" (exit code {tool.exit_code})" if tool.exit_code else ""
        issues.append(_issue(f"the answer of {name} cannot be read{code}", advice="tool_failed"))
        return ()
    sightings: tuple[Sighting, ...] = found
    return sightings


def _missing_drivers(
    surroundings: Surroundings, sightings: Sequence[Sighting], *, nvml_started: bool
) -> list[ProbeIssue]:
    """A card on the bus that its maker's driver does not serve, and that nobody else sees either.

    In a container the bus shows all cards of the computer, with or without a way to them.
    """
    seen = {one.vendor for one in sightings}
    issues = []
    for vendor, drivers in _KERNEL_DRIVERS.items():
        idle = pci.without_driver(surroundings.cards_on_bus, vendor, drivers)
        if idle and vendor not in seen:
            detail = f"{vendor} card without its driver at {', '.join(idle)}"
            issues.append(_issue(detail, advice=f"install_{vendor}_driver"))
    served = [one.pci_id for one in surroundings.cards_on_bus if one.driver == "nvidia"]
    if served and "nvidia" not in seen and not nvml_started:
        issues.append(_issue(f"no device file of the card at {', '.join(served)}", advice="card_not_passed_on"))
    return issues


def _oddities(accelerators: tuple[Accelerator, ...], surroundings: Surroundings) -> list[ProbeIssue]:
    issues = []
    for one in accelerators:
        if one.driver_too_old:
            detail = f"{one.name}: driver {one.driver} is older than {one.driver_minimum}"
            issues.append(_issue(detail, advice="update_nvidia_driver"))
        if one.total_bytes is None and one.kind == "discrete" and "pci" not in one.sources:
            issues.append(_issue(f"{one.name}: memory unknown", advice="memory_unknown"))
    hidden = [one.name for one in accelerators if one.engine_device is None and not one.is_slice]
    if hidden and surroundings.hidden and surroundings.has_engine:
        detail = f"{', '.join(hidden)}: {', '.join(surroundings.hidden)} is set"
        issues.append(_issue(detail, advice="hidden_card", expected=True))
    return issues


def _has_answered(answer: Found | Failed | Late | None) -> bool:
    return isinstance(answer, Found) and answer.value.ending == "done"


def _unused(accelerators: tuple[Accelerator, ...], known: set[str]) -> list[ProbeIssue]:
    """Cards that work, but for which the engine here has no back end; said once, and not where a driver is to blame."""
    idle = [one for one in accelerators if one.engine_device is None and one.kind == "discrete" and not one.is_slice]
    if not idle or len(idle) < sum(one.kind == "discrete" for one in accelerators):
        return []
    if known - {"hidden_card"}:
        return []
    return [_issue(f"no back end for {', '.join(one.name for one in idle)}", advice="no_back_end", expected=True)]


def _issue(detail: str, *, advice: str, expected: bool = False) -> ProbeIssue:
    return ProbeIssue(part="gpu", detail=detail, expected=expected, advice=advice)
