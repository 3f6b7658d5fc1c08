"""What one source says of one card, before the sources are joined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hardware_probe.values import AcceleratorKind, AcceleratorUser, Vendor

# Numbers that the PCI special interest group gave to makers of accelerators.
VENDORS: Mapping[int, Vendor] = MappingProxyType(
    {
        0x10DE: "nvidia",
        0x1002: "amd",
        0x8086: "intel",
        0x106B: "apple",
        0x19E5: "huawei",
        0x1ED5: "moore_threads",
        0x1D94: "hygon",
        0x1E3E: "iluvatar",
    }
)
_NAMES: tuple[tuple[str, Vendor], ...] = (
    (r"nvidia|geforce|quadro|\btesla\b|\brtx\b|\bgtx\b", "nvidia"),
    (r"\bamd\b|radeon|instinct|gfx\d{3}", "amd"),
    (r"intel|\barc\b", "intel"),
    (r"apple", "apple"),
    (r"ascend|\b910[a-z]|\b310p", "huawei"),
    (r"moore threads|\bmtt\b|musa", "moore_threads"),
    (r"hygon|\bdcu\b|c-3000", "hygon"),
    (r"iluvatar|\bbi-v|\bmr-v", "iluvatar"),
)
_SOFTWARE = re.compile(r"llvmpipe|lavapipe|softpipe|swiftshader|\bswrast\b|basic render", re.IGNORECASE)
_PCI = re.compile(r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])", re.IGNORECASE)
# One lane, one direction, after coding overhead, by transfers a second and by generation.
_LANE_BYTES_PER_SECOND = {2.5: 0.25e9, 5.0: 0.5e9, 8.0: 0.985e9, 16.0: 1.969e9, 32.0: 3.938e9, 64.0: 7.563e9}
_GENERATIONS = (2.5, 5.0, 8.0, 16.0, 32.0, 64.0)
# Larger figures are a driver's way of saying "unknown" (-1 as unsigned, seen as 16 EiB).
_MOST_BYTES = 1 << 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The same fields as `Accelerator`, None or empty for what this source does not say.

    pci_id: as `normal_pci_id` writes it. engine_device: only from the engine itself.
    """

    source: str
    vendor: Vendor
    name: str = ""
    pci_id: str = ""
    kind: AcceleratorKind | None = None
    total_bytes: int | None = None
    free_bytes: int | None = None
    shares_host_memory: bool | None = None
    engine_device: str | None = None
    driver: str = ""
    compute_capability: str = ""
    display_attached: bool | None = None
    is_slice: bool = False
    users: tuple[AcceleratorUser, ...] = ()
    memory_bytes_per_second: float | None = None
    link_bytes_per_second: float | None = None


def normal_pci_id(text: str) -> str:
    """ "00000000:2A:00.0" and "2a:00.0" become "0000:2a:00.0"; "" where there is no such number in the text."""
    found = _PCI.search(text)
    if found is None:
        return ""
    domain, bus, device, function = found.groups()
    return f"{int(domain or '0', 16):04x}:{int(bus, 16):02x}:{int(device, 16):02x}.{function}"


def vendor_of(name: str) -> Vendor:
    """Who makes a card of this name, as far as names tell."""
    return next((vendor for pattern, vendor in _NAMES if re.search(pattern, name, re.IGNORECASE)), "other")


def is_software(name: str) -> bool:
    """Whether this "card" is a program that draws on the processor."""
    return _SOFTWARE.search(name) is not None


def bytes_or_none(value: object) -> int | None:
    """The figure, None for zero, negative and impossible ones: drivers write these when they do not know."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < _MOST_BYTES else None


def free_of(total_bytes: int | None, used_bytes: object) -> int | None:
    """What is left of the total; None where either is unknown, 0 where more is used than there is."""
    if total_bytes is None or isinstance(used_bytes, bool) or not isinstance(used_bytes, int | float | str):
        return None
    try:
        return max(0, min(total_bytes, total_bytes - int(used_bytes)))
    except (ValueError, OverflowError):
        return None


def link_speed(lanes: int | None, *, transfers: float | None = None, generation: int | None = None) -> float | None:
    """Bytes a second of a PCI Express link, by gigatransfers a second and lane ("16.0 GT/s") or by generation."""
    if generation is not None and 1 <= generation <= len(_GENERATIONS):
        transfers = _GENERATIONS[generation - 1]
    lane = _LANE_BYTES_PER_SECOND.get(transfers or 0.0)
    return lane * lanes if lane is not None and lanes and 0 < lanes <= 32 else None
