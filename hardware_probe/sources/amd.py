"""AMD cards as `amd-smi` or the older `rocm-smi` describe them; asked where the kernel's files do not tell already.

Recorded formats: `rocm-smi --json` of ROCm 5 and 6; `amd-smi metric --mem-usage --json` as a list (before version 26)
and as {"gpu_data": […]} (since).
"""

from __future__ import annotations

import json
import re
from typing import Any

from hardware_probe.sighting import Sighting, bytes_or_none, free_of, normal_pci_id
from hardware_probe.tool import ToolAnswer, run_tool
from hardware_probe.values import AcceleratorUser

ROCM_SOURCE = "rocm-smi"
AMD_SOURCE = "amd-smi"
_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


def read_rocm_smi(limit_seconds: float) -> ToolAnswer:
    """Names, addresses and memory of all cards, with driver version and users."""
    options = ("--showproductname", "--showbus", "--showmeminfo", "vram", "--showdriverversion", "--showpids", "--json")
    return run_tool(("rocm-smi", *options), limit_seconds)


def read_amd_smi(limit_seconds: float) -> ToolAnswer:
    """Memory of all cards."""
    return run_tool(("amd-smi", "metric", "--mem-usage", "--json"), limit_seconds)


def parse_rocm_smi(text: str) -> tuple[Sighting, ...] | None:
    """Pure. Warnings before the JSON are skipped; users cannot be told apart by card and are given to an only card."""
    try:
        found = json.loads(text[text.index("{") :])
        cards = [value for key, value in found.items() if re.fullmatch(r"card\d+", key)]
        system = found.get("system") or {}
        users = _users(system) if len(cards) == 1 else ()
        driver = str(system.get("Driver version") or "")
        return tuple(_rocm_card(card, driver, users) for card in cards)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _rocm_card(card: dict[str, Any], driver: str, users: tuple[AcceleratorUser, ...]) -> Sighting:
    total = bytes_or_none(card.get("VRAM Total Memory (B)"))
    series = str(card.get("Card Series") or card.get("Card series") or card.get("Device Name") or "")
    return Sighting(
        source=ROCM_SOURCE,
        vendor="amd",
        name=series,
        pci_id=normal_pci_id(str(card.get("PCI Bus") or "")),
        total_bytes=total,
        free_bytes=free_of(total, card.get("VRAM Total Used Memory (B)")),
        driver=driver,
        users=users,
    )


def _users(system: dict[str, Any]) -> tuple[AcceleratorUser, ...]:
    """Entries such as {"PID1168514": "pt_main_thread, 1, 177386942464, 0, 4"}: name, cards, bytes, …"""
    users = []
    for key, value in system.items():
        fields = [part.strip() for part in str(value).split(",")]
        if re.fullmatch(r"PID\d{1,9}", key) and len(fields) >= 3 and (used := bytes_or_none(fields[2])):
            users.append(AcceleratorUser(pid=int(key[3:]), name=fields[0], used_bytes=used))
    return tuple(users)


def parse_amd_smi(text: str) -> tuple[Sighting, ...] | None:
    """Pure. It writes "MB" for 2**20 bytes."""
    try:
        found = json.loads(text[min(text.index(mark) for mark in "[{" if mark in text) :])
        cards = found["gpu_data"] if isinstance(found, dict) else found
        return tuple(_amd_card(card) for card in cards)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _amd_card(card: dict[str, Any]) -> Sighting:
    memory = card["mem_usage"]
    total = _amount(memory.get("total_vram"))
    return Sighting(
        source=AMD_SOURCE,
        vendor="amd",
        total_bytes=total,
        free_bytes=free_of(total, _amount(memory.get("used_vram")) or 0),
    )


def _amount(value: object) -> int | None:
    if isinstance(value, dict):
        return bytes_or_none(int(value["value"]) * _UNITS[str(value.get("unit") or "MB").upper()])
    return None
