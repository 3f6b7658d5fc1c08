"""What the sources' answers, silences and failures become."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from hardware_probe.accelerators import looks, parse_survey
from hardware_probe.gather import Failed, Found, Late
from hardware_probe.sources.pci import PciReading
from hardware_probe.surroundings import Surroundings
from hardware_probe.tool import ToolAnswer
from resources import wording
from tests.hardware_probe.recorded import recorded

NVIDIA_ON_BUS = PciReading(pci_id="0000:01:00.0", files={"class": "0x030000", "vendor": "0x10de"}, driver="nouveau")
AMD_ON_BUS = PciReading(
    pci_id="0000:03:00.0",
    files={"class": "0x030000", "vendor": "0x1002", "mem_info_vram_total": "17163091968"},
    driver="amdgpu",
)
INTEL_ON_BUS = PciReading(pci_id="0000:00:02.0", files={"class": "0x030000", "vendor": "0x8086"}, driver="i915")


def _answer(text: str) -> Found:
    return Found(value=ToolAnswer(output=text, exit_code=0))


def _advice(**answers: Found | Failed | Late) -> list[tuple[str, bool]]:
    survey = parse_survey({name.replace("_", "-"): one for name, one in answers.items()}, Surroundings(), None)
    return [(issue.advice, issue.expected) for issue in survey.issues]


def test_nothing_at_all_is_expected() -> None:
    assert _advice(nvml=Found(value=ToolAnswer(ending="absent"))) == [("no_accelerator", True)]


def test_a_card_and_no_issue() -> None:
    survey = parse_survey({"nvml": _answer(recorded("nvml-rtx4090.json"))}, Surroundings(), None)
    assert [card.name for card in survey.accelerators] == ["NVIDIA GeForce RTX 4090"]
    assert survey.issues == ()


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (Late(), "driver_hangs"),
        (Found(value=ToolAnswer(ending="too_slow")), "driver_hangs"),
        (Found(value=ToolAnswer(ending="too_much")), "tool_failed"),
        (Found(value=ToolAnswer(output="", ending="failed", exit_code=-11)), "tool_failed"),
        (Failed(error=OSError("no memory for a process")), "tool_failed"),
        (_answer("Segmentation fault"), "tool_failed"),
        (_answer('{"error": "Driver/library version mismatch", "absent": false}'), "restart_computer"),
        (_answer('{"error": "GPU is lost", "absent": false}'), "tool_failed"),
    ],
)
def test_each_failure_has_its_advice(answer: Found | Failed | Late, advice: str) -> None:
    assert _advice(nvml=answer) == [(advice, False)]


def test_no_driver_library_is_no_failure() -> None:
    assert _advice(nvml=_answer('{"error": "NVML Shared Library Not Found", "absent": true}')) == [
        ("no_accelerator", True)
    ]


def test_the_engine_and_vulkan_have_advices_of_their_own() -> None:
    crashed = Found(value=ToolAnswer(ending="failed", exit_code=-4))
    assert _advice(engine=Late()) == [("engine_hangs", False)]
    assert _advice(engine=crashed) == [("engine_failed", False)]
    assert _advice(vulkaninfo=crashed) == [("vulkan_unknown", False)]


def test_a_tool_that_fails_where_its_cards_are_not_is_no_trouble() -> None:
    answers: dict[str, Found | Failed | Late] = {"npu-smi": Late(), "mthreads-gmi": _answer("?")}
    around = Surroundings(makers_on_bus=frozenset({"moore_threads"}))
    found = [
        (issue.detail.split()[0], issue.advice, issue.expected) for issue in parse_survey(answers, around, None).issues
    ]
    assert found == [("npu-smi", "", True), ("the", "tool_failed", False)]


def test_a_failing_source_does_not_take_the_others() -> None:
    answers: dict[str, Found | Failed | Late] = {
        "nvml": _answer(recorded("nvml-rtx4090.json")),
        "npu-smi": Late(),
        "ixsmi": _answer("?"),
    }
    survey = parse_survey(answers, Surroundings(), None)
    assert len(survey.accelerators) == 1
    assert [issue.advice for issue in survey.issues] == ["driver_hangs", "tool_failed"]


def test_a_card_without_its_makers_driver() -> None:
    survey = parse_survey({}, Surroundings(cards_on_bus=(NVIDIA_ON_BUS,)), None)
    assert [issue.advice for issue in survey.issues] == ["install_nvidia_driver"]
    assert survey.accelerators[0].total_bytes is None


def test_a_card_that_the_container_has_no_way_to() -> None:
    served = replace(NVIDIA_ON_BUS, driver="nvidia")
    absent: dict[str, Found | Failed | Late] = {"nvml": Found(value=ToolAnswer(ending="absent"))}
    survey = parse_survey(absent, Surroundings(cards_on_bus=(served,)), None)
    assert [issue.advice for issue in survey.issues] == ["card_not_passed_on"]
    crashed = parse_survey({"nvml": _answer("")}, Surroundings(cards_on_bus=(served,)), None)
    assert [issue.advice for issue in crashed.issues] == ["tool_failed"]


def test_a_card_that_was_given_to_a_virtual_machine() -> None:
    given = replace(NVIDIA_ON_BUS, driver="vfio-pci")
    survey = parse_survey({}, Surroundings(cards_on_bus=(given,)), None)
    assert survey.accelerators == ()
    assert [issue.advice for issue in survey.issues] == ["no_accelerator"]


def test_an_old_driver() -> None:
    text = recorded("nvml-rtx4090.json").replace("550.54.14", "470.256.02")
    survey = parse_survey({"nvml": _answer(text)}, Surroundings(), None)
    assert survey.accelerators[0].driver_too_old
    assert [issue.advice for issue in survey.issues] == ["update_nvidia_driver"]
    assert "470.256.02" in survey.issues[0].detail


def test_a_hidden_card_is_said_only_where_something_hides_it() -> None:
    answers = {"nvml": _answer(recorded("nvml-rtx4090.json")), "engine": _answer("[]")}
    hiding = Surroundings(hidden=("CUDA_VISIBLE_DEVICES",), has_engine=True)
    assert [issue.advice for issue in parse_survey(answers, hiding, None).issues] == ["hidden_card"]


def test_a_card_that_the_engine_has_no_back_end_for() -> None:
    answers = {"nvml": _answer(recorded("nvml-rtx4090.json")), "engine": _answer("[]")}
    (issue,) = parse_survey(answers, Surroundings(has_engine=True), None).issues
    assert (issue.advice, issue.expected) == ("no_back_end", True)


def test_zero_of_zero_is_said() -> None:
    text = '[{"name": "CUDA0", "description": "X", "type": "GPU", "free_bytes": 0, "total_bytes": 0}]'
    survey = parse_survey({"engine": _answer(text)}, Surroundings(has_engine=True), None)
    assert [issue.advice for issue in survey.issues] == ["memory_unknown"]


@pytest.mark.parametrize(
    ("on_bus", "asked", "not_asked"),
    [
        ((AMD_ON_BUS,), {"nvml", "npu-smi"}, {"rocm-smi", "amd-smi", "vulkaninfo"}),
        ((AMD_ON_BUS, INTEL_ON_BUS), {"vulkaninfo"}, {"rocm-smi"}),
        ((), {"rocm-smi", "engine"}, {"vulkaninfo"}),
    ],
)
def test_slow_tools_are_asked_only_for_what_nobody_else_knows(
    monkeypatch: pytest.MonkeyPatch, on_bus: tuple[PciReading, ...], asked: set[str], not_asked: set[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    names = looks(Surroundings(cards_on_bus=on_bus), None, 1.0).keys()
    assert asked <= names
    assert not not_asked & names


def test_every_advice_has_its_words() -> None:
    keys = {
        *("no_accelerator", "driver_hangs", "engine_hangs", "tool_failed", "restart_computer", "install_nvidia_driver"),
        *("install_amd_driver", "update_nvidia_driver", "memory_unknown", "hidden_card", "cpu_unknown"),
        *("memory_unreadable", "disk_unknown", "no_back_end", "card_not_passed_on", "engine_failed"),
        "vulkan_unknown",
    }
    for key in keys:
        assert wording.text(f"probe.advice.{key}", "zh")
