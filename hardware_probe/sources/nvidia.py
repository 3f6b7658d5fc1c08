"""NVIDIA cards as the driver's management library (NVML) describes them, asked for in a child."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware_probe.sighting import Sighting, bytes_or_none, link_speed, normal_pci_id
from hardware_probe.tool import ABSENT, ToolAnswer, run_tool
from hardware_probe.values import AcceleratorUser
from resources.own_program import module_command

SOURCE = "nvml"
# Without one of these no NVIDIA driver can answer on Linux (/dev/dxg: Windows Subsystem for Linux).
_LINUX_DEVICES = ("/dev/nvidiactl", "/dev/dxg")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRefusal:
    """The driver's own words why it does not answer; absent: there is none."""

    message: str
    absent: bool


def read_nvidia(limit_seconds: float) -> ToolAnswer:
    """Starts no process where there is no driver."""
    if sys.platform == "linux" and not any(Path(device).exists() for device in _LINUX_DEVICES):
        return ABSENT
    if sys.platform == "win32" and not _windows_library().exists():
        return ABSENT
    if sys.platform == "darwin":
        return ABSENT
    return run_tool(module_command("hardware_probe.sources.nvml"), limit_seconds)


def _windows_library() -> Path:
    return Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvml.dll"


def parse_nvidia(text: str) -> tuple[Sighting, ...] | DriverRefusal | None:
    """Pure. A card in MIG mode cannot be used as a whole: its slices are listed in its place."""
    try:
        found = json.loads(text)
        if "error" in found:
            return DriverRefusal(message=str(found["error"]), absent=bool(found.get("absent")))
        return tuple(
            sighting for card in found["gpus"] for sighting in _card(card, driver=str(found.get("driver") or ""))
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _card(card: dict[str, Any], driver: str) -> list[Sighting]:
    width, clock = card.get("bus_width_bits"), card.get("memory_clock_mhz")
    slices = card.get("slices") or []
    # Two transfers per clock, as NVML counts clocks: 10,501 MHz × 384 bits is the RTX 4090's 1,008 GB/s.
    speed = 2e6 * float(clock) * float(width) / 8 if width and clock else None
    return [
        Sighting(
            source=SOURCE,
            vendor="nvidia",
            name=str(part.get("name") or card.get("name") or ""),
            pci_id=normal_pci_id(str(card.get("pci_id") or "")),
            kind="discrete" if bytes_or_none(part.get("total_bytes")) else None,
            total_bytes=bytes_or_none(part.get("total_bytes")),
            free_bytes=_free(part),
            driver=driver,
            compute_capability=str(card.get("compute_capability") or ""),
            display_attached=card.get("display_attached"),
            is_slice=bool(slices),
            users=tuple(_user(user) for user in part.get("users") or ()),
            memory_bytes_per_second=speed if not slices else _share_of(speed, part, card),
            link_bytes_per_second=link_speed(_count(card, "pcie_lanes"), generation=_count(card, "pcie_generation")),
        )
        for part in slices or [card]
    ]


def _share_of(speed: float | None, part: dict[str, Any], card: dict[str, Any]) -> float | None:
    """A slice has as much of the card's memory channels as of its memory."""
    own, all_of_it = bytes_or_none(part.get("total_bytes")), bytes_or_none(card.get("total_bytes"))
    return speed * min(1.0, own / all_of_it) if speed and own and all_of_it else None


def _free(part: dict[str, Any]) -> int | None:
    """A full card has 0 bytes free, which is a figure; one whose total is unknown has none."""
    free = part.get("free_bytes")
    return int(free) if bytes_or_none(part.get("total_bytes")) and free is not None and int(free) >= 0 else None


def _user(user: dict[str, Any]) -> AcceleratorUser:
    return AcceleratorUser(
        pid=int(user["pid"]), name=str(user.get("name") or ""), used_bytes=bytes_or_none(user.get("used_bytes"))
    )


def _count(card: dict[str, Any], name: str) -> int | None:
    value = card.get(name)
    return int(value) if value is not None else None
