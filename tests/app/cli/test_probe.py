"""`liangli probe`: all that can be known of a computer, in both languages."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.cli import probe
from app.main import main
from hardware_probe import Accelerator, AcceleratorUser, Cpu, Disk, HardwareProfile, Memory, ProbeIssue

CPU = Cpu(
    name="X",
    physical_cores=4,
    logical_cores=8,
    usable_cores=2,
    usable_threads=4,
    quota_cores=1.5,
    performance_cores=2,
)
CARD = Accelerator(
    name="RTX",
    vendor="nvidia",
    kind="discrete",
    total_bytes=8_000_000_000,
    free_bytes=7_000_000_000,
    pci_id="0000:01:00.0",
    engine_device="CUDA0",
    driver="550.54",
)
PROFILE = HardwareProfile(
    cpu=CPU,
    memory=Memory(total_bytes=4_000_000_000, available_bytes=1_000_000_000, limited_by_group=True),
    disk=Disk(folder="/m", total_bytes=2_000_000_000, free_bytes=500_000_000, kind="ssd"),
    accelerators=(CARD,),
    issues=(ProbeIssue(part="gpu", detail="mismatch", expected=False, advice="restart_computer"),),
)


def _card(**changes: object) -> list[tuple[str, str]]:
    one = replace(CARD, **changes)  # type: ignore[arg-type]
    return probe.facts(HardwareProfile(cpu=None, memory=None, disk=None, accelerators=(one,), issues=()), "en")


def test_this_computer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memory"]["total_bytes"] > 0
    assert main(["probe", "--lang", "zh"]) == 0
    assert "处理器" in capsys.readouterr().out


def test_everything_that_can_be_probed_is_said() -> None:
    assert probe.facts(PROFILE, "en") == [
        ("processor", "X"),
        ("cores", "2 usable (4 cores, 8 threads)"),
        ("quota", "1.5 cores"),
        ("memory", "1.00 GB of 4.00 GB free (limited by the container)"),
        ("disk", "500 MB of 2.00 GB free (/m), solid state"),
        ("graphics card", "RTX, 7.00 GB of 8.00 GB of its memory free"),
        ("", "engine: CUDA0, driver 550.54, PCI 0000:01:00.0"),
        ("graphics card", "The graphics driver has just been updated; restart the computer to use it."),
        ("", "(mismatch)"),
    ]


def test_in_chinese() -> None:
    facts = probe.facts(PROFILE, "zh")
    assert ("显卡", "RTX，显存可用 7.00 GB / 共 8.00 GB") in facts
    assert ("", "推理引擎：CUDA0，驱动 550.54，PCI 0000:01:00.0") in facts


def test_a_processor_with_two_kinds_of_cores_and_two_memories() -> None:
    cpu = replace(CPU, performance_cores=1, efficiency_cores=1, instruction_sets=("AVX2", "FMA"), numa_nodes=2)
    facts = dict(probe.facts(replace(PROFILE, cpu=cpu), "en"))
    assert facts["cores"] == "2 usable (4 cores, 8 threads), 1 of them fast, 1 efficient"
    assert facts["instruction sets"] == "AVX2 FMA"
    assert facts["NUMA nodes"] == "2"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"total_bytes": None, "free_bytes": None}, "RTX, memory unknown"),
        ({"free_bytes": None}, "RTX, 8.00 GB of memory; how much is free is unknown"),
        ({"shares_host_memory": True}, "RTX, shares main memory: 7.00 GB free, 8.00 GB at most"),
        ({"name": ""}, "nvidia, 7.00 GB of 8.00 GB of its memory free"),
    ],
)
def test_what_is_known_of_the_memory(changes: dict[str, object], said: str) -> None:
    assert _card(**changes)[0] == ("graphics card", said)


def test_details() -> None:
    details = _card(
        engine_device=None,
        driver="470.1",
        driver_minimum="525.60.13",
        driver_too_old=True,
        compute_capability="8.9",
        display_attached=True,
        is_slice=True,
        memory_bytes_per_second=272e9,
        link_bytes_per_second=15.75e9,
    )[1][1]
    assert details == (
        "not usable by the engine, driver 470.1 (too old: at least 525.60.13 is needed), compute capability 8.9, "
        "memory 272 GB/s, bus 15.8 GB/s, drives a display, MIG slice, PCI 0000:01:00.0"
    )


def test_who_holds_its_memory() -> None:
    users = [AcceleratorUser(pid=number, name=f"p{number}", used_bytes=number * 1_000_000) for number in range(1, 5)]
    users += [
        AcceleratorUser(pid=9, name="", used_bytes=90_000_000),
        AcceleratorUser(pid=8, name="hidden", used_bytes=None),
    ]
    assert _card(users=tuple(users))[2][1] == "used by PID 9 90.0 MB, p4 4.00 MB, p3 3.00 MB, p2 2.00 MB and 2 more"


def test_a_failure_without_advice_is_said_as_it_is() -> None:
    issue = ProbeIssue(part="cpu", detail="no cores", expected=False)
    facts = probe.facts(replace(PROFILE, issues=(issue,)), "en")
    assert facts[-1] == ("processor", "could not look at the processor: no cores")


def test_no_card_is_said_in_plain_words() -> None:
    issue = ProbeIssue(part="gpu", detail="no accelerator found", expected=True, advice="no_accelerator")
    facts = probe.facts(replace(PROFILE, accelerators=(), issues=(issue,)), "zh")
    assert facts[-1] == ("显卡", "没有找到能用的显卡，模型在处理器上运行。")
