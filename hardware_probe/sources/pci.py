"""Cards on the PCI bus as Linux lists them, with or without a driver; for AMD's driver also their memory.

All of it is plain files: no process, no library. Their meaning: kernel documentation, `gpu/amdgpu/driver-misc` and
`ABI/testing/sysfs-bus-pci`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hardware_probe.sighting import VENDORS, Sighting, bytes_or_none, free_of, link_speed
from hardware_probe.sources.pci_names import read_pci_names
from hardware_probe.values import AcceleratorKind, Vendor

SOURCE = "pci"
_FILES = (
    "class",
    "vendor",
    "device",
    "mem_info_vram_total",
    "mem_info_vram_used",
    "mem_info_vram_vendor",
    "mem_info_gtt_total",
    "mem_info_gtt_used",
    "product_name",
    "max_link_speed",
    "current_link_width",
    "tile0/physical_vram_size_bytes",
)
_DISPLAY, _PROCESSING = "0x03", "0x12"
# The driver of cards that are passed on to a virtual machine: they are that machine's.
_GIVEN_AWAY = "vfio-pci"
# Huawei's display controllers are its servers' management chips; its accelerators are of the class "processing".
_ONLY_PROCESSING: frozenset[Vendor] = frozenset({"huawei"})
# Intel's devices of that class are the NPUs of laptops, which the engine cannot use.
_ONLY_DISPLAY: frozenset[Vendor] = frozenset({"intel"})
# Matching the bus address of a processor's own graphics: Intel's is always here, AMD's sits behind this bridge.
_INTEL_INTEGRATED = "0000:00:02."
_AMD_INTERNAL_BRIDGE = re.compile(r"0000:00:08\.\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class PciReading:
    """One device: its address, its files' contents, the kernel driver's name ("" for none), the bridge above it.

    displays: what its video outputs say ("connected", "disconnected"). model: its name in the system's list of names.
    """

    pci_id: str
    files: Mapping[str, str] = field(default_factory=dict)
    driver: str = ""
    bridge: str = ""
    displays: tuple[str, ...] = ()
    model: str = ""


def read_pci(folder: Path = Path("/sys/bus/pci/devices")) -> tuple[PciReading, ...]:
    """All display and processing devices; () where there is no such folder. Raises nothing."""
    try:
        devices = sorted(folder.iterdir())
    except OSError:
        return ()
    cards = [_read_device(device) for device in devices if _content(device / "class")[:4] in (_DISPLAY, _PROCESSING)]
    names = read_pci_names(frozenset(_numbers(card) for card in cards if _numbers(card)[0] in VENDORS))
    return tuple(replace(card, model=names.get(_numbers(card), "")) for card in cards)


def read_makers(folder: Path = Path("/sys/bus/pci/devices")) -> frozenset[Vendor] | None:
    """Makers of accelerators with any device on the bus, of whatever class; None where there is no bus. Raises nothing.

    Intel counts only by its graphics, for its chipsets are everywhere.
    """
    try:
        devices = list(folder.iterdir())
    except OSError:
        return None
    found: set[Vendor] = set()
    for device in devices:
        vendor = VENDORS.get(_hex(_content(device / "vendor")))
        if vendor is not None and (vendor != "intel" or _content(device / "class")[:4] == _DISPLAY):
            found.add(vendor)
    return frozenset(found) if devices else None


def _numbers(card: PciReading) -> tuple[int, int]:
    return _hex(card.files.get("vendor")), _hex(card.files.get("device"))


def _read_device(device: Path) -> PciReading:
    return PciReading(
        pci_id=device.name,
        files={name: content for name in _FILES if (content := _content(device / name))},
        driver=_target(device / "driver").name,
        bridge=_target(device).parent.name,
        displays=tuple(_content(status) for status in sorted(device.glob("drm/card*/card*-*/status"))),
    )


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _target(link: Path) -> Path:
    try:
        return link.resolve(strict=True)
    except (OSError, RuntimeError):
        return Path()


def parse_pci(readings: tuple[PciReading, ...]) -> tuple[Sighting, ...]:
    """Pure. Cards of makers whose cards can compute; servers' management chips and virtual displays are left out."""
    return tuple(sighting for reading in readings if (sighting := _card(reading)) is not None)


def _card(reading: PciReading) -> Sighting | None:
    vendor = VENDORS.get(_hex(reading.files.get("vendor")))
    if vendor is None or reading.driver == _GIVEN_AWAY:
        return None
    processes = reading.files.get("class", "").startswith(_PROCESSING)
    if vendor in (_ONLY_DISPLAY if processes else _ONLY_PROCESSING):
        return None
    kind = _kind(vendor, reading)
    total, free, shares = _memory(kind, reading.files)
    return Sighting(
        source=SOURCE,
        vendor=vendor,
        name=reading.files.get("product_name", "") or reading.model,
        pci_id=reading.pci_id.lower(),
        kind=kind,
        total_bytes=total,
        free_bytes=free,
        shares_host_memory=shares,
        display_attached="connected" in reading.displays if reading.displays else None,
        link_bytes_per_second=None if kind == "integrated" else _link(reading.files),
    )


def _kind(vendor: Vendor, reading: PciReading) -> AcceleratorKind:
    if vendor == "intel":
        return "integrated" if reading.pci_id.startswith(_INTEL_INTEGRATED) else "discrete"
    # Only boards with memory chips of their own know who made these.
    maker = reading.files.get("mem_info_vram_vendor", "unknown")
    if vendor == "amd" and maker == "unknown" and _AMD_INTERNAL_BRIDGE.fullmatch(reading.bridge):
        return "integrated"
    return "discrete"


def _memory(kind: AcceleratorKind, files: Mapping[str, str]) -> tuple[int | None, int | None, bool]:
    """Total, free, and whether they are main memory.

    An integrated AMD card has a part cut off main memory at start (which Linux no longer counts as main memory) and may
    borrow the rest; it is described by the larger of both, for adding them would count on memory of two kinds.
    """
    total = bytes_or_none(files.get("mem_info_vram_total")) or bytes_or_none(
        _hex(files.get("tile0/physical_vram_size_bytes"))
    )
    free = free_of(total, files.get("mem_info_vram_used"))
    borrowed = bytes_or_none(files.get("mem_info_gtt_total"))
    if kind == "discrete":
        return total, free, False
    if borrowed is not None and borrowed > (total or 0):
        return borrowed, free_of(borrowed, files.get("mem_info_gtt_used")), True
    return total, free, total is None


def _link(files: Mapping[str, str]) -> float | None:
    speed = re.match(r"\d{1,3}(?:\.\d)?", files.get("max_link_speed", ""))
    lanes = files.get("current_link_width", "")
    return link_speed(int(lanes), transfers=float(speed[0])) if speed and lanes.isdecimal() and len(lanes) < 4 else None


def _hex(text: str | None) -> int:
    try:
        return int(text or "0", 16)
    except ValueError:
        return 0


def without_driver(readings: tuple[PciReading, ...], vendor: Vendor, drivers: frozenset[str]) -> tuple[str, ...]:
    """Pure. Addresses of this maker's cards that none of these kernel drivers serves."""
    ours = {sighting.pci_id for sighting in parse_pci(readings) if sighting.vendor == vendor}
    return tuple(reading.pci_id for reading in readings if reading.pci_id in ours and reading.driver not in drivers)
