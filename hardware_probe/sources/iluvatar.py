"""Iluvatar cards as `ixsmi` describes them, in the form of nvidia-smi's CSV.

Recorded format: lines "0, Iluvatar MR-V50, 16384 MiB, 116 MiB" for index, name, total and used memory. The field for
the PCI address ("gpu_bus_id") was seen in public scripts, with addresses such as 00000001:01:00.0.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from hardware_probe.sighting import Sighting, bytes_or_none, free_of, normal_pci_id
from hardware_probe.tool import ToolAnswer, run_tool

SOURCE = "ixsmi"
_MIB = 1 << 20
_FIELDS = "index,name,memory.total,memory.used,gpu_bus_id"
# The vendor's installer puts it here, and not always into the search path.
_USUAL_PLACE = Path("/usr/local/corex/bin/ixsmi")


def read_iluvatar(limit_seconds: float) -> ToolAnswer:
    """All cards, a line each."""
    program = str(_USUAL_PLACE) if _USUAL_PLACE.exists() else "ixsmi"
    return run_tool((program, f"--query-gpu={_FIELDS}", "--format=csv,noheader"), limit_seconds)


def parse_iluvatar(text: str) -> tuple[Sighting, ...] | None:
    """Pure. The address may be missing; a line that is not a card makes the whole answer unreadable."""
    if not text.strip() or "no devices" in text.lower():
        return ()
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    except csv.Error:
        return None
    found = [_card(row) for row in rows]
    return tuple(card for card in found if card is not None) if all(found) else None


def _card(row: list[str]) -> Sighting | None:
    if len(row) < 4 or not re.fullmatch(r"\d{1,3}", row[0]):
        return None
    total, used = (re.fullmatch(r"(\d{1,9})(?: ?MiB)?", cell) for cell in row[2:4])
    if total is None or used is None:
        return None
    size = bytes_or_none(int(total[1]) * _MIB)
    return Sighting(
        source=SOURCE,
        vendor="iluvatar",
        name=row[1],
        pci_id=normal_pci_id(row[4]) if len(row) > 4 else "",
        kind="discrete",
        total_bytes=size,
        free_bytes=free_of(size, int(used[1]) * _MIB),
    )
