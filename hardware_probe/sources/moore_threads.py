"""Moore Threads cards as `mthreads-gmi` draws them.

Recorded formats: versions 1.12, 1.14 and 2.3 (MTT S80, S4000, S5000). The process table was only seen empty, so users
are not read. Without IOMMU a driver was seen to report more used than there is: then nothing is free.
"""

from __future__ import annotations

import re

from hardware_probe.sighting import Sighting, bytes_or_none, free_of, link_speed, normal_pci_id
from hardware_probe.tool import ToolAnswer, run_tool

SOURCE = "mthreads-gmi"
_MIB = 1 << 20
_CARD = re.compile(
    r"^\d{1,3}\s+(?P<name>[^|\n]+?)\s*\|\s*(?P<pci>[0-9a-fA-F:.]+)\s*\|[^|\n]*?(?P<used>\d{1,9})MiB\((?P<total>\d{1,9})MiB\)"
    r"[^\n]*(?:\n[^|\n]*\|\s*(?P<lanes>\d{1,2})x\()?",
    re.MULTILINE,
)


def read_moore_threads(limit_seconds: float) -> ToolAnswer:
    """The table of all cards."""
    return run_tool(("mthreads-gmi",), limit_seconds)


def parse_moore_threads(text: str) -> tuple[Sighting, ...] | None:
    """Pure. Lanes are those the card is connected with; its generation is not in the table (S80: 5, S4000: 5)."""
    if "mthreads-gmi" not in text.lower():
        return None
    driver = re.search(r"Driver Version:\s*(\S+)", text)
    return tuple(
        Sighting(
            source=SOURCE,
            vendor="moore_threads",
            name=card["name"],
            pci_id=normal_pci_id(card["pci"]),
            kind="discrete",
            total_bytes=bytes_or_none(int(card["total"]) * _MIB),
            free_bytes=free_of(bytes_or_none(int(card["total"]) * _MIB), int(card["used"]) * _MIB),
            driver=driver[1] if driver else "",
            link_bytes_per_second=link_speed(int(card["lanes"]), generation=5) if card["lanes"] else None,
        )
        for card in _CARD.finditer(text)
    )
