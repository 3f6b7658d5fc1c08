"""NVIDIA's cards, on recorded answers of the child, and the child itself on a library that is not there."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from hardware_probe.sighting import Sighting
from hardware_probe.sources import nvidia, nvml
from hardware_probe.sources.nvidia import DriverRefusal, parse_nvidia, read_nvidia
from hardware_probe.values import AcceleratorUser
from tests.hardware_probe.recorded import recorded


def _cards(name: str) -> tuple[Sighting, ...]:
    found = parse_nvidia(recorded(name))
    assert isinstance(found, tuple)
    return found


def test_a_card_with_a_display_and_its_users() -> None:
    (card,) = _cards("nvml-rtx4090.json")
    assert (card.name, card.pci_id, card.driver) == ("NVIDIA GeForce RTX 4090", "0000:01:00.0", "550.54.14")
    assert (card.total_bytes, card.free_bytes) == (25_757_220_864, 23_900_000_000)
    assert card.display_attached is True
    assert card.users[1] == AcceleratorUser(pid=3098, name="firefox", used_bytes=201_326_592)
    assert card.memory_bytes_per_second == pytest.approx(1.008e12, rel=1e-3)
    assert card.link_bytes_per_second == pytest.approx(31.5e9, rel=1e-3)


def test_a_sliced_card_is_its_slices() -> None:
    large, small = _cards("nvml-a100-mig.json")
    assert (large.name, large.is_slice, large.total_bytes) == (
        "NVIDIA A100-PCIE-40GB MIG 3g.20gb",
        True,
        20_937_965_568,
    )
    assert (small.is_slice, small.pci_id, small.compute_capability) == (True, large.pci_id, "8.0")
    assert [user.name for user in large.users] == ["python3"]
    # Half of the card's 1,555 GB/s for half of its memory.
    assert large.memory_bytes_per_second == pytest.approx(758e9, rel=1e-2)


def test_windows_hides_what_programs_hold() -> None:
    (card,) = _cards("nvml-wsl.json")
    assert card.users == (AcceleratorUser(pid=31, name="", used_bytes=None),)
    assert card.display_attached is None


def test_a_card_without_memory_of_its_own() -> None:
    (card,) = _cards("nvml-gb10.json")
    assert (card.total_bytes, card.free_bytes, card.kind) == (None, None, None)
    assert card.pci_id == "000f:01:00.0"


def test_a_full_card_has_nothing_free() -> None:
    text = json.dumps({"driver": "1", "gpus": [{"name": "X", "total_bytes": 8, "free_bytes": 0}]})
    found = parse_nvidia(text)
    assert isinstance(found, tuple)
    assert found[0].free_bytes == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"error": "Driver/library version mismatch", "absent": false}',
            DriverRefusal(message="Driver/library version mismatch", absent=False),
        ),
        (
            '{"error": "NVML Shared Library Not Found", "absent": true}',
            DriverRefusal(message="NVML Shared Library Not Found", absent=True),
        ),
        ("Segmentation fault", None),
        ('{"gpus": 7, "driver": ""}', None),
        ("", None),
    ],
)
def test_refusals_and_nonsense(text: str, expected: DriverRefusal | None) -> None:
    assert parse_nvidia(text) == expected


def test_without_a_driver_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "_LINUX_DEVICES", ("/dev/no such device",))
    monkeypatch.setattr(nvidia, "run_tool", lambda *_: pytest.fail("started"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert read_nvidia(1.0).ending == "absent"


class _Refused(Exception):
    value = 3


class _Mismatch(_Refused):
    value = 18


def _fake_library(**changes: Any) -> SimpleNamespace:
    """A library that knows one card, and of it only what every version tells."""

    def memory(handle: str) -> SimpleNamespace:
        return SimpleNamespace(total=1000, free=400) if handle == "card" else SimpleNamespace(total=500, free=100)

    def not_supported(*_: Any) -> None:
        raise _Refused

    answers: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: "card" if index == 0 else not_supported(),
        "nvmlDeviceGetMemoryInfo": memory,
        "nvmlDeviceGetName": lambda handle: b"NVIDIA H100",
        "nvmlDeviceGetPciInfo": lambda handle: SimpleNamespace(busId=b"00000000:01:00.0"),
        "nvmlDeviceGetCudaComputeCapability": lambda handle: (9, 0),
        "nvmlDeviceGetDisplayActive": lambda handle: 0,
        "nvmlDeviceGetMemoryBusWidth": not_supported,
        "nvmlDeviceGetComputeRunningProcesses": lambda handle: [SimpleNamespace(pid=2**31 - 1, usedGpuMemory=None)],
        "nvmlDeviceGetGraphicsRunningProcesses": lambda handle: [SimpleNamespace(pid=2**31 - 1, usedGpuMemory=70)],
        "nvmlSystemGetProcessName": lambda pid: rb"C:\Games\game.exe",
        "nvmlSystemGetDriverVersion": lambda: "550.54.14",
        "NVMLError": _Refused,
        "NVML_CLOCK_MEM": 2,
        "NVML_ERROR_LIBRARY_NOT_FOUND": 12,
        "NVML_ERROR_DRIVER_NOT_LOADED": 9,
    }
    return SimpleNamespace(**answers | changes)


def test_the_child_leaves_out_what_the_driver_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", _fake_library())
    found = nvml.read_nvml()
    (card,) = found["gpus"]
    assert (card["name"], card["total_bytes"], card["bus_width_bits"], card["slices"]) == (
        "NVIDIA H100",
        1000,
        None,
        [],
    )
    assert card["users"] == [{"pid": 2**31 - 1, "name": "game.exe", "used_bytes": 70}]
    parsed = parse_nvidia(json.dumps(found))
    assert isinstance(parsed, tuple)
    assert (parsed[0].compute_capability, parsed[0].display_attached) == ("9.0", False)


def test_the_child_lists_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    def slice_of(handle: str, number: int) -> str:
        if number > 1:
            raise _Refused
        return f"slice{number}"

    library = _fake_library(
        nvmlDeviceGetMigMode=lambda handle: (1, 1),
        nvmlDeviceGetMaxMigDeviceCount=lambda handle: 7,
        nvmlDeviceGetMigDeviceHandleByIndex=slice_of,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert [one["total_bytes"] for one in nvml.read_nvml()["gpus"][0]["slices"]] == [500, 500]


def test_the_child_tells_why_the_driver_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def mismatch() -> None:
        raise _Mismatch("Driver/library version mismatch")

    monkeypatch.setitem(sys.modules, "pynvml", _fake_library(nvmlInit=mismatch))
    assert nvml.read_nvml() == {"error": "Driver/library version mismatch", "absent": False}
