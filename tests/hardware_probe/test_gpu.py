"""Graphics cards, on recorded answers of the child."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_probe import gpu, nvml
from hardware_probe.gpu import GpuReadings, parse_gpus, read_gpus
from hardware_probe.values import Accelerator

RTX_4060 = """\
{"driver": "550.54.14",
 "gpus": [{"name": "NVIDIA GeForce RTX 4060", "total_bytes": 8585740288, "free_bytes": 7000000000}]}"""


def test_a_card() -> None:
    card = Accelerator(
        name="NVIDIA GeForce RTX 4060",
        vendor="nvidia",
        kind="discrete",
        total_bytes=8_585_740_288,
        free_bytes=7_000_000_000,
        driver="550.54.14",
        sources=("nvml",),
    )
    assert parse_gpus(GpuReadings(output=RTX_4060, exit_code=0)) == ((card,), None)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (GpuReadings(output="", exit_code=0, no_device=True), True),
        (GpuReadings(output='{"error": "NVML Shared Library Not Found", "absent": true}', exit_code=0), True),
        (GpuReadings(output='{"error": "Driver/library version mismatch", "absent": false}', exit_code=0), False),
        (GpuReadings(output="", exit_code=None), False),
        (GpuReadings(output="", exit_code=-11), False),
        (GpuReadings(output="Segmentation fault", exit_code=0), False),
        (GpuReadings(output='{"gpus": 7, "driver": ""}', exit_code=0), False),
    ],
)
def test_no_answer_is_an_issue(readings: GpuReadings, expected: bool) -> None:
    found, issue = parse_gpus(readings)
    assert found == ()
    assert issue is not None
    assert (issue.part, issue.expected) == ("gpu", expected)


@given(
    st.text()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["gpus", "driver", "error", "name"]), inner),
    ).map(json.dumps)
)
def test_any_answer_is_survived(output: str) -> None:
    parse_gpus(GpuReadings(output=output, exit_code=0))


def test_a_driver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_LINUX_DEVICES", ("/dev/null",))
    assert read_gpus(limit_seconds=0.001).exit_code is None


def test_the_child_reads_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    class NVMLError(Exception):
        value = 18

    answers: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=8_585_740_288, free=7_000_000_000),
        "nvmlDeviceGetName": lambda handle: b"NVIDIA GeForce RTX 4060",
        "nvmlSystemGetDriverVersion": lambda: "550.54.14",
        "NVMLError": NVMLError,
        "NVML_ERROR_LIBRARY_NOT_FOUND": 12,
        "NVML_ERROR_DRIVER_NOT_LOADED": 9,
    }
    monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace(**answers))
    assert nvml.read_nvml() == json.loads(RTX_4060)

    def mismatch() -> None:
        raise NVMLError("Driver/library version mismatch")

    monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace(**answers | {"nvmlInit": mismatch}))
    assert nvml.read_nvml() == {"error": "Driver/library version mismatch", "absent": False}
