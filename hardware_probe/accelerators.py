"""All sources of knowledge about accelerators: which are asked on this system, and what is made of their silence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hardware_probe.gather import Failed, Found, Late
from hardware_probe.join import join
from hardware_probe.oddities import gpu_issue, missing_drivers, odd_cards, unused_cards
from hardware_probe.sighting import Sighting
from hardware_probe.sources import amd, apple, ascend, engine, hygon, iluvatar, intel, moore_threads, nvidia, vulkan
from hardware_probe.sources.clients import with_users
from hardware_probe.sources.nvidia import DriverRefusal
from hardware_probe.sources.pci import parse_pci
from hardware_probe.surroundings import Surroundings
from hardware_probe.tool import Ending, ToolAnswer
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
# Whose cards a source is about; a tool that fails on a computer without any has nothing to tell.
_MAKERS: Mapping[str, Vendor] = {
    nvidia.SOURCE: "nvidia",
    amd.ROCM_SOURCE: "amd",
    amd.AMD_SOURCE: "amd",
    intel.SOURCE: "intel",
    ascend.SOURCE: "huawei",
    moore_threads.SOURCE: "moore_threads",
    hygon.SOURCE: "hygon",
    iluvatar.SOURCE: "iluvatar",
}
# Advice for failures of the sources that are no maker's tool.
_HANGING = {engine.SOURCE: "engine_hangs", vulkan.SOURCE: "vulkan_unknown"}
_FAILING = {engine.SOURCE: "engine_failed", vulkan.SOURCE: "vulkan_unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The accelerators, and what was odd about them."""

    accelerators: tuple[Accelerator, ...] = ()
    issues: tuple[ProbeIssue, ...] = ()


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
        if name in answers:
            found, issue = _understand(name, parser, answers[name])
            sightings += found
            issues += [_weighed(name, issue, surroundings)] if issue else []
    on_bus = with_users(parse_pci(surroundings.cards_on_bus), surroundings.clients)
    accelerators = join([*sightings, *on_bus], memory, wsl=surroundings.wsl)
    nvml_started = nvidia.SOURCE not in answers or _ending(answers[nvidia.SOURCE]) != "absent"
    issues += missing_drivers(surroundings, sightings, nvml_started=nvml_started)
    issues += odd_cards(accelerators, surroundings)
    is_calm = not any(issue.advice for issue in issues)
    if is_calm and engine.SOURCE in answers and _ending(answers[engine.SOURCE]) == "done":
        issues += unused_cards(accelerators)
    if is_calm and not accelerators:
        issues.append(gpu_issue("no accelerator found", advice="no_accelerator", expected=True))
    return Survey(accelerators=accelerators, issues=tuple(issues))


def _ending(answer: Found | Failed | Late) -> Ending:
    match answer:
        case Found():
            assert isinstance(answer.value, ToolAnswer)
            return answer.value.ending
        case Failed():
            return "failed"
        case Late():
            return "too_slow"


def _understand(
    name: str, parser: Parser, answer: Found | Failed | Late
) -> tuple[tuple[Sighting, ...], ProbeIssue | None]:
    match _ending(answer):
        case "absent":
            return (), None
        case "too_slow":
            return (), gpu_issue(f"{name} did not answer in time", advice=_HANGING.get(name, "driver_hangs"))
        case "too_much":
            return (), gpu_issue(f"{name} wrote without end", advice=_FAILING.get(name, "tool_failed"))
        case "failed" | "done":
            if isinstance(answer, Found):
                return _parse(name, parser, answer.value)
    assert isinstance(answer, Failed)
    detail = f"{name}: {type(answer.error).__name__}: {answer.error}"
    return (), gpu_issue(detail, advice=_FAILING.get(name, "tool_failed"))


def _parse(name: str, parser: Parser, tool: ToolAnswer) -> tuple[tuple[Sighting, ...], ProbeIssue | None]:
    """A tool may end with an error and still have said something worth hearing."""
    found = parser(tool.output)
    if isinstance(found, DriverRefusal):
        advice = "restart_computer" if "mismatch" in found.message.lower() else "tool_failed"
        return (), None if found.absent else gpu_issue(f"{name}: {found.message}", advice=advice)
    if found is None or (tool.ending == "failed" and not found):
        code = f" (exit code {tool.exit_code})" if tool.exit_code else ""
        detail = f"the answer of {name} cannot be read{code}"
        return (), gpu_issue(detail, advice=_FAILING.get(name, "tool_failed"))
    return found, None


def _weighed(name: str, issue: ProbeIssue, surroundings: Surroundings) -> ProbeIssue:
    """Tools that were left behind on a computer, or came with a container, fail where their cards are not."""
    maker = _MAKERS.get(name)
    if surroundings.makers_on_bus is None or maker is None or maker in surroundings.makers_on_bus:
        return issue
    return replace(issue, expected=True, advice="")
