"""Hygon DCUs as `hy-smi` (a relative of AMD's `rocm-smi`) describes them.

Recorded format: a C-3000/BW node with driver 6.3.31. Each answer comes from its own call there; whether one call with
all options answers in one document, as rocm-smi does, could not be checked, so both are understood.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from hardware_probe.sighting import Sighting, bytes_or_none, free_of, normal_pci_id
from hardware_probe.tool import ToolAnswer, run_tool
from hardware_probe.values import AcceleratorUser

SOURCE = "hy-smi"
_MIB = 1 << 20
_CALLS = (
    ("--showmeminfo", "vram", "--json"),
    ("--showbus", "--json"),
    ("--showproductname", "--json"),
    ("--showdriverversion",),
    ("--showpids",),
)


def read_hygon(limit_seconds: float) -> ToolAnswer:
    """All answers one after the other; those that a slow tool leaves no time for are missing."""
    deadline = time.monotonic() + limit_seconds
    first = run_tool(("hy-smi", *_CALLS[0]), limit_seconds)
    if first.ending != "done":
        return first
    output = first.output
    for options in _CALLS[1:]:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        output += "\n" + run_tool(("hy-smi", *options), left).output
    return ToolAnswer(output=output, exit_code=0)


def parse_hygon(text: str) -> tuple[Sighting, ...] | None:
    """Pure. What the documents say of the same card is put together."""
    cards: dict[str, dict[str, Any]] = {}
    try:
        for document in re.findall(r"^\{.*\}\s*$", text, re.MULTILINE):
            for key, value in json.loads(document).items():
                if re.fullmatch(r"card\d+", key):
                    cards.setdefault(key, {}).update(value)
        driver = re.search(r"Driver Version:\s*(\S+)", text)
        users = _users(text)
        found = tuple(_card(card, driver[1] if driver else "", users) for card in cards.values())
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return found or None


def _card(card: dict[str, Any], driver: str, users: dict[str, list[AcceleratorUser]]) -> Sighting:
    total, used = _amount(card, "total memory"), _amount(card, "total used memory")
    pci_id = normal_pci_id(str(card.get("PCI Bus") or ""))
    series = str(card.get("Card Series") or card.get("Card series") or "")
    return Sighting(
        source=SOURCE,
        vendor="hygon",
        name=f"Hygon {series}".strip() if "hygon" not in series.lower() else series,
        pci_id=pci_id,
        kind="discrete",
        total_bytes=total,
        free_bytes=free_of(total, used or 0),
        driver=driver,
        users=tuple(users.get(pci_id, ())) if pci_id else (),
    )


def _amount(card: dict[str, Any], what: str) -> int | None:
    """ "vram Total Memory (MiB)" here, "VRAM Total Memory (B)" in rocm-smi."""
    for key, value in card.items():
        found = re.fullmatch(rf"vram {what} \((MiB|B)\)", str(key), re.IGNORECASE)
        if found:
            return bytes_or_none(int(value) * (_MIB if found[1].lower() == "mib" else 1))
    return None


def _users(text: str) -> dict[str, list[AcceleratorUser]]:
    """Blocks "PID: 2004092 … PCI BUS: ['0000:d5:00.0'] … VRAM USED(MiB): 9649", without the program's name."""
    found: dict[str, list[AcceleratorUser]] = {}
    for block in re.split(r"^PID:\s*", text, flags=re.MULTILINE)[1:]:
        pid, used = re.match(r"\d{1,9}", block), re.search(r"VRAM USED\(MiB\):\s*(\d{1,9})", block)
        bus = re.search(r"PCI BUS:\s*(.*)", block)
        if pid and used and bus:
            user = AcceleratorUser(pid=int(pid[0]), name="", used_bytes=int(used[1]) * _MIB)
            found.setdefault(normal_pci_id(bus[1]), []).append(user)
    return found
