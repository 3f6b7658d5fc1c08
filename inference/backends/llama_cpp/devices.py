"""The devices that llama.cpp can use on this computer, as JSON: `python -m inference.backends.llama_cpp.devices`.

Run it as a child with a time limit: asking drivers may hang, or end the process.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

from inference.backends.llama_cpp.library import base, ggml, lib
from inference.backends.llama_cpp.soundness import require_sound
from inference.backends.llama_cpp.virtual_devices import DeviceProperties

_TYPES = {0: "CPU", 1: "GPU", 2: "IGPU", 3: "ACCEL", 4: "META"}


def list_devices() -> list[dict[str, Any]]:
    """One entry for each device: name, description, type, free_bytes, total_bytes, pci_id ("" where there is none).

    Raises EngineUnsound.
    """
    require_sound()
    lib.llama_backend_init()
    return [_describe(ggml.ggml_backend_dev_get(number)) for number in range(ggml.ggml_backend_dev_count())]


def _describe(device: int) -> dict[str, Any]:
    properties = DeviceProperties()
    base.ggml_backend_dev_get_props(device, ctypes.byref(properties))
    return {
        "name": _text(properties.name),
        "description": _text(properties.description),
        "type": _TYPES.get(properties.type, str(properties.type)),
        "free_bytes": properties.memory_free,
        "total_bytes": properties.memory_total,
        "pci_id": _text(properties.device_id),
    }


def _text(address: int | None) -> str:
    return ctypes.string_at(address).decode("utf-8", "replace") if address else ""


if __name__ == "__main__":
    json.dump(list_devices(), sys.stdout)
