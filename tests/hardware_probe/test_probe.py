"""The whole probe: a part that fails is an issue, the other parts are still there, and nothing takes too long."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from hardware_probe import probe, probe_hardware, probe_memory, surroundings
from hardware_probe.values import HardwareProfile
from tests.hardware_probe.recorded import recorded


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tools before all others."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def _add_tool(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!{sys.executable} -S\n{script}")
    (folder / name).chmod(0o755)


def _names(profile: HardwareProfile) -> list[str]:
    return [one.name for one in profile.accelerators]


def test_this_computer(tmp_path: Path) -> None:
    profile = probe_hardware(tmp_path / "not" / "there yet")
    assert profile.cpu is not None
    assert profile.memory is not None
    assert profile.disk is not None
    assert 0 < profile.disk.free_bytes <= profile.disk.total_bytes
    assert all(issue.part == "gpu" for issue in profile.issues)


def test_a_failing_part_does_not_take_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken() -> None:
        raise ZeroDivisionError("no cores")

    monkeypatch.setattr(probe, "read_cpu", broken)
    profile = probe_hardware(tmp_path)
    assert profile.cpu is None
    assert profile.memory is not None
    issue = next(issue for issue in profile.issues if issue.part == "cpu")
    assert (issue.detail, issue.expected, issue.advice) == ("ZeroDivisionError: no cores", False, "cpu_unknown")


def test_a_disk_that_is_gone_holds_up_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    never = threading.Event()
    monkeypatch.setattr(probe, "read_disk", lambda folder: never.wait())
    started = time.monotonic()
    profile = probe_hardware(tmp_path, limit_seconds=0.5)
    never.set()
    assert time.monotonic() - started < 3
    assert profile.disk is None
    assert profile.memory is not None
    assert [issue.advice for issue in profile.issues if issue.part == "disk"] == ["disk_unknown"]


def test_a_bus_that_cannot_be_read_holds_up_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    never = threading.Event()
    monkeypatch.setattr(probe, "read_surroundings", lambda command: never.wait())
    profile = probe_hardware(tmp_path, limit_seconds=0.4)
    never.set()
    assert profile.cpu is not None
    assert [(issue.part, issue.detail) for issue in profile.issues] == [("gpu", "no answer in time")]


def test_tools_that_are_installed_are_asked(tools: Path, tmp_path: Path) -> None:
    _add_tool(tools, "npu-smi", f"print({recorded('npu-smi-910b.txt')!r})")
    _add_tool(tools, "mthreads-gmi", f"print({recorded('mthreads-gmi-s80.txt')!r})")
    profile = probe_hardware(tmp_path, limit_seconds=20)
    assert {"Ascend 910B4-1", "MTT S80"} <= set(_names(profile))


def test_a_tool_that_hangs_and_one_that_floods(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "read_makers", lambda: None)
    _add_tool(tools, "npu-smi", "import time\ntime.sleep(600)")
    _add_tool(tools, "mthreads-gmi", "import sys\nwhile True: sys.stdout.write('x' * 1000000)")
    _add_tool(tools, "ixsmi", "raise SystemExit(9)")
    started = time.monotonic()
    profile = probe_hardware(tmp_path, limit_seconds=2)
    assert time.monotonic() - started < 5
    advice = {issue.detail: issue.advice for issue in profile.issues}
    assert advice["npu-smi did not answer in time"] == "driver_hangs"
    assert advice["mthreads-gmi wrote without end"] == "tool_failed"
    assert profile.memory is not None


def test_the_engines_word_comes_from_the_command_that_is_handed_in(tmp_path: Path) -> None:
    script = f"print({recorded('engine-laptop.json')!r})"
    profile = probe_hardware(tmp_path, engine_devices_command=(sys.executable, "-S", "-c", script), limit_seconds=20)
    assert {"CUDA0", "Vulkan1"} <= {one.engine_device for one in profile.accelerators}


def test_surroundings_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert "CUDA_VISIBLE_DEVICES" in surroundings.read_surroundings(None).hidden


def test_memory_on_its_own() -> None:
    assert probe_memory().available_bytes > 0
