"""Programs that hold memory of AMD's and Intel's cards, as Linux tells in /proc/PID/fdinfo (kernel: drm-usage-stats).

Only programs of this user can be looked at (all of them as root); that is mostly the desktop and what runs on it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hardware_probe.sighting import Sighting
from hardware_probe.values import AcceleratorUser

_FIELD = re.compile(r"^(drm-[\w-]+):[ \t]*(\S+)(?:[ \t]+(\S+))?", re.MULTILINE)
# amdgpu wrote "drm-memory-vram" before the common names "drm-resident-vram0" (xe: vram0, i915: local0) came.
_MEMORY = re.compile(r"drm-(?:memory|resident)-(vram|local|gtt|system)\d*")
_OWN = frozenset({"vram", "local"})
_UNITS = {None: 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One open connection of a program to a card: the program, and what the kernel says of the connection."""

    pid: int
    name: str
    text: str


def read_clients(proc: Path = Path("/proc")) -> tuple[Client, ...]:
    """All connections of the programs that may be looked at. Some tens of milliseconds. Raises nothing."""
    found: list[Client] = []
    for folder in _listed(proc):
        if folder.name.isdecimal():
            found += _read_program(folder, int(folder.name))
    return tuple(found)


def _read_program(folder: Path, pid: int) -> Iterable[Client]:
    for opened in _listed(folder / "fd"):
        try:
            if opened.readlink().is_relative_to("/dev/dri"):
                text = (folder / "fdinfo" / opened.name).read_text(encoding="ascii", errors="replace")
                yield Client(pid=pid, name=(folder / "comm").read_text(errors="replace").strip(), text=text)
        except OSError:  # the program ended, or closed it
            continue


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def with_users(sightings: tuple[Sighting, ...], clients: tuple[Client, ...]) -> tuple[Sighting, ...]:
    """Pure. The cards with their users. A connection that a program opened twice, or shares, counts once.

    Of a card without memory of its own, the main memory that it borrows for a program counts.
    """
    held: defaultdict[tuple[str, int], int] = defaultdict(int)
    names = {client.pid: client.name for client in clients}
    shared = {one.pci_id for one in sightings if one.shares_host_memory}
    seen: set[tuple[str, str]] = set()
    for client in clients:
        fields = {name: (value, unit) for name, value, unit in _FIELD.findall(client.text)}
        pci_id = fields.get("drm-pdev", ("", ""))[0]
        identity = (pci_id, fields.get("drm-client-id", (client.text, ""))[0])
        if identity not in seen:
            seen.add(identity)
            held[pci_id, client.pid] += _bytes(fields, borrowed=pci_id in shared)
    return tuple(
        replace(
            one,
            users=tuple(
                AcceleratorUser(pid=pid, name=names[pid], used_bytes=used)
                for (pci_id, pid), used in sorted(held.items(), key=lambda item: -item[1])
                if pci_id == one.pci_id and used
            ),
        )
        for one in sightings
    )


def _bytes(fields: dict[str, tuple[str, str]], *, borrowed: bool) -> int:
    """Newer amdgpu writes old and new names for the same memory: the larger of both counts."""
    regions: dict[str, int] = {}
    for name, (value, unit) in fields.items():
        memory = _MEMORY.fullmatch(name)
        if memory and (borrowed or memory[1] in _OWN) and value.isdecimal() and len(value) < 16:
            size = int(value) * _UNITS.get(unit or None, 0)
            regions[memory[1]] = max(regions.get(memory[1], 0), size)
    return sum(regions.values())
