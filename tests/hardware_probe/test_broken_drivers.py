"""The child that holds NVIDIA's library, with libraries that work, hang, crash and flood."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from hardware_probe import HardwareProfile, probe_hardware
from hardware_probe.sources import nvidia

WORKS = """
from types import SimpleNamespace
class NVMLError(Exception): value = 0
NVML_CLOCK_MEM = 2
NVML_ERROR_LIBRARY_NOT_FOUND, NVML_ERROR_DRIVER_NOT_LOADED = 12, 9
def nvmlInit(): pass
def nvmlDeviceGetCount(): return 1
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetName(handle): return "NVIDIA GeForce RTX 3060"
def nvmlDeviceGetMemoryInfo(handle): return SimpleNamespace(total=12884901888, free=12000000000)
def nvmlDeviceGetPciInfo(handle): return SimpleNamespace(busId="00000000:01:00.0")
def nvmlSystemGetDriverVersion(): return "550.54.14"
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the child imports in the library's place, on a computer that seems to have the driver."""
    if sys.platform == "darwin":
        pytest.skip("there is no NVIDIA driver on macOS")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(nvidia, "_LINUX_DEVICES", ("/dev/null",))
    monkeypatch.setattr(nvidia, "_windows_library", lambda: tmp_path)
    return tmp_path / "pynvml.py"


def _probe(library: Path, code: str, limit_seconds: float) -> HardwareProfile:
    library.write_text(code)
    return probe_hardware(library.parent, limit_seconds=limit_seconds)


def test_a_library_that_works(library: Path) -> None:
    profile = _probe(library, WORKS, 20)
    assert [(one.name, one.free_bytes, one.sources[0]) for one in profile.accelerators] == [
        ("NVIDIA GeForce RTX 3060", 12_000_000_000, "nvml")
    ]


@pytest.mark.parametrize(
    ("code", "limit_seconds", "detail"),
    [
        ("import time\ntime.sleep(600)", 1.0, "did not answer in time"),
        (f"{WORKS}\ndef nvmlInit():\n    import time\n    time.sleep(600)", 1.0, "did not answer in time"),
        ("import os\nos.abort()", 20.0, "cannot be read (exit code -6)"),
        ("raise RuntimeError('half an update')", 20.0, "cannot be read (exit code 1)"),
        ("print('x' * 9_000_000)\n" + WORKS, 20.0, "wrote without end"),
        (f"{WORKS}\ndef nvmlInit(): raise NVMLError('Driver/library version mismatch')", 20.0, "version mismatch"),
    ],
)
def test_a_library_that_does_not(library: Path, code: str, limit_seconds: float, detail: str) -> None:
    started = time.monotonic()
    profile = _probe(library, code, limit_seconds)
    assert limit_seconds > 5 or time.monotonic() - started < 4
    assert profile.memory is not None
    assert any(detail in issue.detail for issue in profile.issues), profile.issues
