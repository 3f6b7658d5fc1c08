"""What decides which sources are asked and how their answers are understood: plain files and variables, no process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardware_probe.sources.clients import Client, read_clients
from hardware_probe.sources.pci import PciReading, read_makers, read_pci
from hardware_probe.values import Vendor

_HIDING = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES")
# Kernel drivers that tell what each program holds.
_TELLING_DRIVERS = frozenset({"amdgpu", "i915", "xe"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """makers_on_bus: makers with anything on the PCI bus, None where there is no bus to look at: all may be there.

    hidden: variables that hide cards from programs, which are set. wsl: Linux inside of Windows.
    """

    cards_on_bus: tuple[PciReading, ...] = ()
    makers_on_bus: frozenset[Vendor] | None = None
    clients: tuple[Client, ...] = ()
    wsl: bool = False
    hidden: tuple[str, ...] = ()
    has_engine: bool = False


def read_surroundings(engine_devices_command: Sequence[str] | None) -> Surroundings:
    """Raises nothing; may hang where a driver is broken so badly that its files cannot be read."""
    hidden = tuple(name for name in _HIDING if name in os.environ)
    if sys.platform != "linux":
        return Surroundings(hidden=hidden, has_engine=bool(engine_devices_command))
    on_bus = read_pci()
    wsl = Path("/dev/dxg").exists()
    return Surroundings(
        cards_on_bus=on_bus,
        makers_on_bus=None if wsl else read_makers(),
        clients=read_clients() if any(card.driver in _TELLING_DRIVERS for card in on_bus) else (),
        wsl=wsl,
        hidden=hidden,
        has_engine=bool(engine_devices_command),
    )
