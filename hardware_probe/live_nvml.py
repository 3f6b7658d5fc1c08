"""Keeps NVIDIA's driver library open and prints what is free on each card, a line of JSON for each line it reads.

Run as a child (`python -m hardware_probe.live_nvml`): it ends when its parent is gone, and may hang without harm.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from hardware_probe.sighting import normal_pci_id


def handles(nvml: Any) -> dict[str, Any]:
    """Cards by PCI address; those that do not answer are left out."""
    found = {}
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            address = nvml.nvmlDeviceGetPciInfo(handle).busId
        except nvml.NVMLError:
            continue
        found[normal_pci_id(address.decode() if isinstance(address, bytes) else address)] = handle
    return found


def free_bytes(nvml: Any, cards: dict[str, Any]) -> dict[str, int]:
    """What is free on each card that answers."""
    found = {}
    for address, handle in cards.items():
        try:
            found[address] = int(nvml.nvmlDeviceGetMemoryInfo(handle).free)
        except nvml.NVMLError:
            continue
    return found


def main() -> None:
    """Until standard input ends."""
    import pynvml

    pynvml.nvmlInit()
    cards = handles(pynvml)
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(free_bytes(pynvml, cards)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
