"""The whole probe: a part that fails is an issue, and the other parts are still there."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware_probe import probe, probe_hardware, probe_memory


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
    assert (issue.detail, issue.expected) == ("ZeroDivisionError: no cores", False)


def test_memory_on_its_own() -> None:
    assert probe_memory().available_bytes > 0
