"""What the engine's own back ends can use here, from a command that the caller hands in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hardware_probe.sighting import Sighting, bytes_or_none, is_software, normal_pci_id, vendor_of
from hardware_probe.tool import ABSENT, ToolAnswer, run_tool
from hardware_probe.values import AcceleratorKind, Vendor

SOURCE = "engine"
_KINDS: dict[str, AcceleratorKind] = {"GPU": "discrete", "IGPU": "integrated"}
_BACKENDS: dict[str, Vendor] = {"CUDA": "nvidia", "ROCM": "amd", "MTL": "apple", "METAL": "apple", "CANN": "huawei"}
# Devices of other computers: not this one's hardware.
_REMOTE = "RPC"


def read_engine_devices(command: Sequence[str] | None, limit_seconds: float) -> ToolAnswer:
    """`command` prints a JSON list of {"name", "description", "type", "free_bytes", "total_bytes", "pci_id"}."""
    return run_tool(command, limit_seconds) if command else ABSENT


def parse_engine_devices(text: str) -> tuple[Sighting, ...] | None:
    """Pure. Only real cards: no processor, no matrix library, no software renderer, nothing remote."""
    try:
        devices = json.loads(text)
        return tuple(sighting for device in devices if (sighting := _device(device)) is not None)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _device(device: dict[str, Any]) -> Sighting | None:
    name, description = str(device["name"]), str(device.get("description") or "")
    kind = _KINDS.get(str(device["type"]))
    if kind is None or name.startswith(_REMOTE) or is_software(f"{name} {description}"):
        return None
    total = bytes_or_none(device.get("total_bytes"))
    free = device.get("free_bytes")
    vendor = vendor_of(description)
    shares = kind == "integrated" or vendor == "apple"
    return Sighting(
        source=SOURCE,
        vendor=vendor if vendor != "other" else _BACKENDS.get(backend_of(name).upper(), "other"),
        name=description,
        pci_id=normal_pci_id(str(device.get("pci_id") or "")),
        # Metal calls Apple's graphics a GPU; its memory is main memory all the same.
        kind="integrated" if shares else kind,
        total_bytes=total,
        free_bytes=min(total, int(free)) if total and isinstance(free, int) and free >= 0 else None,
        shares_host_memory=shares,
        engine_device=name,
    )


def backend_of(device: str) -> str:
    """ "CUDA0" is a device of "CUDA"."""
    return device.rstrip("0123456789")
