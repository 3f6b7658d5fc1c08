"""Cards as Vulkan drivers describe them (`vulkaninfo`), for those whose makers' own tools and files tell less.

Recorded formats: the full text of versions 1.2 to 1.4. Memory is right only where the driver reports a budget; without
one it is unknown how much is free, and Intel's drivers on Windows report budgets larger than the card.
"""

from __future__ import annotations

import re

from hardware_probe.sighting import VENDORS, Sighting, bytes_or_none, is_software, normal_pci_id, vendor_of
from hardware_probe.tool import ToolAnswer, run_tool
from hardware_probe.values import AcceleratorKind

SOURCE = "vulkaninfo"
_KINDS: dict[str, AcceleratorKind] = {"DISCRETE_GPU": "discrete", "INTEGRATED_GPU": "integrated"}
_DETAILS = re.compile(r"^Device Properties and Extensions:", re.MULTILINE)
_CARD = re.compile(r"^GPU\d+:\s*$", re.MULTILINE)
_HEAP = re.compile(r"memoryHeaps\[\d+\]:(.*?)(?=memoryHeaps\[\d+\]:|memoryTypes|\Z)", re.DOTALL)


def read_vulkan(limit_seconds: float) -> ToolAnswer:
    """The full description: the summary has no memory in it."""
    return run_tool(("vulkaninfo",), limit_seconds)


def parse_vulkan(text: str) -> tuple[Sighting, ...] | None:
    """Pure. Software renderers and virtual cards are left out; a card that two drivers serve is listed once."""
    details = _DETAILS.search(text)
    if details is None:
        return None
    found: dict[str, Sighting] = {}
    for block in _CARD.split(text[details.end() :])[1:]:
        sighting = _card(block)
        if sighting is not None:
            found.setdefault(sighting.pci_id or _field(block, "deviceUUID") or f"{len(found)}", sighting)
    return tuple(found.values())


def _card(block: str) -> Sighting | None:
    name = _field(block, "deviceName")
    kind = _KINDS.get(_field(block, "deviceType").removeprefix("PHYSICAL_DEVICE_TYPE_"))
    if kind is None or is_software(name):
        return None
    total, free = _memory(block, every_heap=kind == "integrated")
    vendor = _field(block, "vendorID")
    return Sighting(
        source=SOURCE,
        vendor=VENDORS.get(int(vendor, 16), vendor_of(name))
        if re.fullmatch(r"0x[0-9a-fA-F]{1,8}", vendor)
        else "other",
        name=name,
        pci_id=_pci_id(block),
        kind=kind,
        total_bytes=total,
        free_bytes=free,
        shares_host_memory=kind == "integrated",
        driver=_field(block, "driverInfo"),
    )


def _field(block: str, name: str) -> str:
    found = re.search(rf"^[ \t]*{name}[ \t]*=[ \t]*(.+?)[ \t]*$", block, re.MULTILINE)
    return found[1] if found else ""


def _pci_id(block: str) -> str:
    parts = [_field(block, f"pci{part}") for part in ("Domain", "Bus", "Device", "Function")]
    if not all(re.fullmatch(r"\d{1,5}", part) for part in parts):
        return ""
    domain, bus, device, function = map(int, parts)
    return normal_pci_id(f"{domain:04x}:{bus:02x}:{device:02x}.{function}")


def _memory(block: str, *, every_heap: bool) -> tuple[int | None, int | None]:
    """Heaps of the device's own memory; an integrated card's are all main memory."""
    total, free, has_budget = 0, 0, True
    for heap in _HEAP.findall(block):
        size = bytes_or_none(_field(heap, "size").split(" ")[0])
        if size is None or not (every_heap or "DEVICE_LOCAL" in heap):
            continue
        budget, usage = (re.match(r"\d{1,19}", _field(heap, name)) for name in ("budget", "usage"))
        total += size
        has_budget = has_budget and budget is not None
        # A heap that is nearly full has had a budget "below zero" (RADV: 16 EiB).
        room = int(budget[0]) if budget else 0
        free += max(0, min(size, room) - (int(usage[0]) if usage else 0)) if room < 1 << 50 else 0
    return (total, free if has_budget else None) if total else (None, None)
