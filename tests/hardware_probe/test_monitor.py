"""Live figures, with children that answer, hang, die and talk nonsense."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hardware_probe import Accelerator, Monitor, live_nvml, monitor

NVIDIA = Accelerator(
    name="RTX", vendor="nvidia", kind="discrete", total_bytes=8000, free_bytes=1, pci_id="0000:01:00.0"
)
SHARED = Accelerator(name="780M", vendor="amd", kind="integrated", total_bytes=5, free_bytes=1, shares_host_memory=True)
ASCEND = Accelerator(name="910B", vendor="huawei", kind="discrete", total_bytes=8, free_bytes=1)


def _child(script: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", f"import sys, time\n{script}")


def _free(command: tuple[str, ...], samples: int = 1) -> list[int | None]:
    live = Monitor((NVIDIA,), nvml_command=command)
    try:
        return [live.sample().accelerators[0].free_bytes for _ in range(samples)]
    finally:
        live.close()


def test_memory_load_and_what_follows_from_them() -> None:
    figures = Monitor((SHARED, ASCEND)).sample()
    assert 0 < figures.memory.available_bytes <= figures.memory.total_bytes
    assert 0 <= figures.cpu_load <= 1
    assert [one.free_bytes for one in figures.accelerators] == [5, None]


def test_a_child_answers_every_sample() -> None:
    script = "for number, line in enumerate(sys.stdin): print('{\"0000:01:00.0\": %d}' % number, flush=True)"
    assert _free(_child(script), samples=3) == [0, 1, 2]


@pytest.mark.parametrize(
    "script",
    [
        "time.sleep(60)",
        "raise SystemExit(1)",
        "input(); print('nonsense', flush=True); time.sleep(60)",
        "input(); print('[1]', flush=True); time.sleep(60)",
        'input(); print(\'{"0000:01:00.0": "much"}\', flush=True); time.sleep(60)',
    ],
)
def test_a_child_that_is_no_good_is_given_up_for_a_while(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(monitor, "_START_SECONDS", 0.3)
    assert _free(_child(script), samples=2) == [None, None]


def test_a_program_that_cannot_be_started() -> None:
    assert _free(("/no/such/program",)) == [None]


def test_a_slice_has_no_figure_of_its_own() -> None:
    live = Monitor((replace(NVIDIA, is_slice=True),), nvml_command=("/no/such/program",))
    assert live.sample().accelerators[0].free_bytes is None


def test_the_kernels_file_of_an_amd_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "0000:03:00.0").mkdir()
    (tmp_path / "0000:03:00.0" / "mem_info_vram_used").write_text("3000\n")
    monkeypatch.setattr(monitor, "_PCI", tmp_path)
    amd = replace(NVIDIA, vendor="amd", pci_id="0000:03:00.0")
    gone = replace(amd, pci_id="0000:04:00.0")
    assert [one.free_bytes for one in Monitor((amd, gone)).sample().accelerators] == [5000, None]


def test_the_child_reads_each_card_that_answers() -> None:
    class Lost(Exception):
        pass

    def handle(index: int) -> int:
        if index == 1:
            raise Lost
        return index

    def memory(card: int) -> SimpleNamespace:
        if card == 2:
            raise Lost
        return SimpleNamespace(free=700)

    library: Any = SimpleNamespace(
        NVMLError=Lost,
        nvmlDeviceGetCount=lambda: 3,
        nvmlDeviceGetHandleByIndex=handle,
        nvmlDeviceGetPciInfo=lambda card: SimpleNamespace(busId=f"00000000:0{card}:00.0".encode()),
        nvmlDeviceGetMemoryInfo=memory,
    )
    assert live_nvml.free_bytes(library, live_nvml.handles(library)) == {"0000:00:00.0": 700}
