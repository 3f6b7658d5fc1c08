"""Names of cards by their numbers, from the list that Linux systems carry (`pci.ids`); nothing where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_PLACES = (Path("/usr/share/hwdata/pci.ids"), Path("/usr/share/misc/pci.ids"), Path("/usr/share/pci.ids"))
# The list gives makers their full legal names.
_MAKERS = {0x10DE: "NVIDIA", 0x1002: "AMD", 0x8086: "Intel", 0x1ED5: "Moore Threads", 0x19E5: "Huawei"}

Numbers = tuple[int, int]


def read_pci_names(wanted: frozenset[Numbers], places: Iterable[Path] = _PLACES) -> dict[Numbers, str]:
    """Names of the wanted pairs of maker and model. Takes 10 ms, nothing when nothing is wanted. Raises nothing."""
    if not wanted:
        return {}
    for place in places:
        try:
            return parse_pci_names(place.read_text(encoding="utf-8", errors="replace"), wanted)
        except OSError:
            continue
    return {}


def parse_pci_names(text: str, wanted: frozenset[Numbers]) -> dict[Numbers, str]:
    """Pure. "Navi 21 [Radeon RX 6800]" is called by what stands in brackets: the other is the chip's name."""
    found: dict[Numbers, str] = {}
    for maker in {pair[0] for pair in wanted}:
        section = re.search(rf"^{maker:04x}  .*\n((?:[\t#].*\n|\n)*)", text, re.MULTILINE)
        for model, name in re.findall(r"^\t([0-9a-f]{4})  (.+)$", section[1] if section else "", re.MULTILINE):
            pair = (maker, int(model, 16))
            if pair in wanted:
                sold_as = re.search(r"\[(.+)\]", name)
                found[pair] = f"{_MAKERS.get(maker, '')} {sold_as[1] if sold_as else name}".strip()
    return found
