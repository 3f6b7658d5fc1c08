"""Huawei Ascend NPUs as `npu-smi info` draws them.

Recorded formats: versions 25.0 to 26.0 for 910B (HBM), 910 with two chips a card, and 310P (DDR only). Two lines a
chip, columns between bars; the last pair "used / total" with a total is the memory that models use.
"""

from __future__ import annotations

import re
from itertools import pairwise

from hardware_probe.sighting import Sighting, bytes_or_none, free_of, normal_pci_id
from hardware_probe.tool import ToolAnswer, run_tool
from hardware_probe.values import AcceleratorUser

SOURCE = "npu-smi"
_MIB = 1 << 20
_AMOUNTS = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})")
# Chip → (card number, chip number), which processes are listed by.
_Place = tuple[str, str]


def read_ascend(limit_seconds: float) -> ToolAnswer:
    """The table of all chips and their processes."""
    return run_tool(("npu-smi", "info"), limit_seconds)


def parse_ascend(text: str) -> tuple[Sighting, ...] | None:
    """Pure. Each chip is an accelerator of its own; two chips of a card may share a PCI address."""
    if "npu-smi" not in text.lower():
        return None
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if "|" in line]
    version = re.search(r"Version:\s*(\S+)", text)
    users = _users(rows)
    found: list[Sighting] = []
    for first, second in pairwise(rows):
        place = _place(first, second)
        amounts = [(int(used), int(total)) for used, total in _AMOUNTS.findall(second[-1]) if int(total)]
        if place is None or not amounts:
            continue
        used, total = amounts[-1]
        found.append(
            Sighting(
                source=SOURCE,
                vendor="huawei",
                name=_name(first[0]),
                pci_id=normal_pci_id(second[1]),
                kind="discrete",
                total_bytes=bytes_or_none(total * _MIB),
                free_bytes=free_of(bytes_or_none(total * _MIB), used * _MIB),
                driver=version[1] if version else "",
                users=tuple(users.get(place, ())),
            )
        )
    return tuple(found)


def _place(first: list[str], second: list[str]) -> _Place | None:
    """The first line of a chip begins with the card's number and name, the second with the chip's number."""
    if len(first) != 3 or len(second) != 3:
        return None
    card, chip = re.match(r"(\d{1,3})\s+\S", first[0]), re.match(r"\d{1,3}", second[0])
    # A name has a letter in it; the second line of the chip before, which may come first here, has none.
    if card is None or chip is None or not re.search(r"[A-Za-z]", first[0]) or not _is_address(second[1]):
        return None
    return card[1], chip[0]


def _is_address(cell: str) -> bool:
    """Addresses are sometimes blacked out in reports ("0000:xx:00.0"), "NA" in virtual machines."""
    return cell == "NA" or ":" in cell


def _name(cell: str) -> str:
    name = cell.split(maxsplit=1)[1]
    return name if name.lower().startswith("ascend") else f"Ascend {name}"


def _users(rows: list[list[str]]) -> dict[_Place, list[AcceleratorUser]]:
    """Rows "NPU Chip | Process id | Process name | Process memory(MB) [| Process id in container]"."""
    found: dict[_Place, list[AcceleratorUser]] = {}
    for row in rows:
        place = re.fullmatch(r"(\d{1,3})\s+(\d{1,3})", row[0])
        if place and len(row) >= 4 and re.fullmatch(r"\d{1,9}", row[1]) and re.fullmatch(r"\d{1,9}", row[3]):
            user = AcceleratorUser(pid=int(row[1]), name=row[2], used_bytes=int(row[3]) * _MIB)
            found.setdefault((place[1], place[2]), []).append(user)
    return found
