"""Intel cards as `xpu-smi` describes them; asked where it is installed, for the kernel's files tell little of them.

Recorded formats: `discovery -j` (a list of cards) and `discovery -d N -j` (one card in full) of versions 1 and 2.
"""

from __future__ import annotations

import json
import time
from typing import Any

from hardware_probe.sighting import Sighting, bytes_or_none, normal_pci_id
from hardware_probe.tool import ToolAnswer, run_tool

SOURCE = "xpu-smi"
_MOST_CARDS = 16


def read_xpu_smi(limit_seconds: float) -> ToolAnswer:
    """The list, and then each card of it in full, one JSON document after the other."""
    deadline = time.monotonic() + limit_seconds
    listed = run_tool(("xpu-smi", "discovery", "-j"), limit_seconds)
    if listed.ending != "done":
        return listed
    output = listed.output
    for number in _numbers(output):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        output += "\n" + run_tool(("xpu-smi", "discovery", "-d", str(number), "-j"), left).output
    return ToolAnswer(output=output, exit_code=0)


def _numbers(text: str) -> list[int]:
    try:
        return [int(card["device_id"]) for card in json.loads(text)["device_list"]][:_MOST_CARDS]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return []


def parse_xpu_smi(text: str) -> tuple[Sighting, ...] | None:
    """Pure. A card that is described twice (in the list, and in full) is one."""
    cards: dict[int, dict[str, Any]] = {}
    try:
        for document in _documents(text):
            for card in document.get("device_list", [document]):
                if "device_id" in card:
                    cards.setdefault(int(card["device_id"]), {}).update(card)
        return tuple(_card(card) for card in cards.values()) if cards or '"device_list"' in text else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _documents(text: str) -> list[dict[str, Any]]:
    decoder, found, position = json.JSONDecoder(), [], text.find("{")
    while position >= 0:
        document, end = decoder.raw_decode(text, position)
        found.append(document)
        position = text.find("{", end)
    return found


def _card(card: dict[str, Any]) -> Sighting:
    total = bytes_or_none(card.get("memory_physical_size_byte"))
    free = bytes_or_none(card.get("memory_free_size_byte"))
    pci_id = normal_pci_id(str(card.get("pci_bdf_address") or ""))
    return Sighting(
        source=SOURCE,
        vendor="intel",
        name=str(card.get("device_name") or ""),
        pci_id=pci_id,
        total_bytes=total,
        free_bytes=min(total, free) if total and free else None,
        driver=str(card.get("driver_version") or ""),
    )
