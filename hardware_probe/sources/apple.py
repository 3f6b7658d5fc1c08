"""Apple's own graphics, whose memory is main memory, as `system_profiler` and `sysctl` describe them.

How much of it graphics may hold is `recommendedMaxWorkingSetSize`, which only Metal tells; the engine's figure, where
there is one, is taken instead of the one computed here.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from hardware_probe.sighting import Sighting, bytes_or_none
from hardware_probe.tool import ABSENT, ToolAnswer, run_tool

SOURCE = "system_profiler"
_GIB = 1 << 30
# What stock macOS lets graphics hold: two thirds up to 36 GiB, three quarters above (seen: 16 GiB → 10.7, 32 → 21.3,
# 64 → 48); newer versions give some more to the largest machines, which then is the engine's word against this.
_SMALL_MACHINE_BYTES = 36 * _GIB


def read_apple(limit_seconds: float) -> ToolAnswer:
    """The cards as JSON, then lines "name: value" of what the kernel says of the memory."""
    if sys.platform != "darwin":
        return ABSENT
    cards = run_tool(("system_profiler", "SPDisplaysDataType", "-json"), limit_seconds)
    if cards.ending != "done":
        return cards
    memory = run_tool(("sysctl", "hw.memsize", "iogpu.wired_limit_mb"), limit_seconds / 4)
    return ToolAnswer(output=f"{cards.output}\n{memory.output}", exit_code=0)


def parse_apple(text: str) -> tuple[Sighting, ...] | None:
    """Pure. Other makers' cards in older Macs are listed without memory: only Metal knows theirs."""
    try:
        start = text.index("{")
        found, end = json.JSONDecoder().raw_decode(text, start)
        budget = gpu_budget_bytes(_number(text[end:], "hw.memsize"), _number(text[end:], "iogpu.wired_limit_mb"))
        return tuple(_card(card, budget) for card in found["SPDisplaysDataType"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def gpu_budget_bytes(memory_bytes: int | None, wired_limit_mib: int | None) -> int | None:
    """What graphics may hold of `memory_bytes`: the limit the user set (0 for none), else what macOS does by itself."""
    if memory_bytes is None:
        return None
    if wired_limit_mib:
        return min(memory_bytes, wired_limit_mib << 20)
    return memory_bytes * 2 // 3 if memory_bytes <= _SMALL_MACHINE_BYTES else memory_bytes * 3 // 4


def _card(card: dict[str, Any], budget: int | None) -> Sighting:
    name = str(card.get("sppci_model") or card.get("_name") or "")
    is_apple = "apple" in f"{name} {card.get('spdisplays_vendor')}".lower()
    displays = card.get("spdisplays_ndrvs")
    return Sighting(
        source=SOURCE,
        vendor="apple" if is_apple else "amd" if "radeon" in name.lower() else "other",
        name=name,
        kind="integrated" if is_apple or "spdisplays_vram_shared" in card else "discrete",
        total_bytes=budget if is_apple else None,
        shares_host_memory=is_apple,
        display_attached=bool(displays) if isinstance(displays, list) else None,
    )


def _number(text: str, name: str) -> int | None:
    found = re.search(rf"^{re.escape(name)}:\s*(\d{{1,18}})\s*$", text, re.MULTILINE)
    return bytes_or_none(found[1]) if found else None
