"""Asks NVIDIA's driver about its cards; run as a child (`python -m hardware_probe.sources.nvml`), for it may hang."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

_ACTIVE = 1


def read_nvml() -> dict[str, Any]:
    """{"driver": …, "gpus": [{"name", "total_bytes", …}, …]}, or {"error": …, "absent": bool}."""
    try:
        import pynvml
    except ImportError as error:
        return {"error": str(error), "absent": True}
    try:
        pynvml.nvmlInit()
        cards = [_card(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
        return {"driver": _text(pynvml.nvmlSystemGetDriverVersion()), "gpus": [card for card in cards if card]}
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return {"error": str(error), "absent": error.value in absent}


def _card(nvml: Any, index: int) -> dict[str, Any] | None:
    """One card, and the slices it is cut into; a card that fell off the bus has no handle and is left out."""
    ask = _Asker(nvml)
    handle = ask("DeviceGetHandleByIndex", index)
    if handle is None:
        return None
    capability = ask("DeviceGetCudaComputeCapability", handle)
    pci = ask("DeviceGetPciInfo", handle)
    display = ask("DeviceGetDisplayActive", handle)
    card = _memory_and_users(ask, handle) | {
        "pci_id": _text(pci.busId) if pci is not None else "",
        "compute_capability": ".".join(map(str, capability)) if capability else "",
        "display_attached": None if display is None else display == _ACTIVE,
        "bus_width_bits": ask("DeviceGetMemoryBusWidth", handle),
        "memory_clock_mhz": ask("DeviceGetMaxClockInfo", handle, nvml.NVML_CLOCK_MEM),
        "pcie_generation": ask("DeviceGetMaxPcieLinkGeneration", handle),
        "pcie_lanes": ask("DeviceGetMaxPcieLinkWidth", handle),
        "slices": [],
    }
    mode = ask("DeviceGetMigMode", handle)
    if mode and mode[0] == _ACTIVE:
        slices = (
            ask("DeviceGetMigDeviceHandleByIndex", handle, number)
            for number in range(ask("DeviceGetMaxMigDeviceCount", handle) or 0)
        )
        card["slices"] = [_memory_and_users(ask, piece) for piece in slices if piece is not None]
    return card


def _memory_and_users(ask: _Asker, handle: Any) -> dict[str, Any]:
    memory = ask("DeviceGetMemoryInfo", handle)
    users: dict[int, dict[str, Any]] = {}
    for kind in ("Compute", "Graphics"):
        for process in ask(f"DeviceGet{kind}RunningProcesses", handle) or ():
            used = process.usedGpuMemory
            known = users.get(process.pid)
            if known is None or (used or 0) > (known["used_bytes"] or 0):
                users[process.pid] = {"pid": process.pid, "name": _program(ask, process.pid), "used_bytes": used}
    return {
        "name": _text(ask("DeviceGetName", handle) or ""),
        "total_bytes": int(memory.total) if memory is not None else None,
        "free_bytes": int(memory.free) if memory is not None else None,
        "users": list(users.values()),
    }


def _program(ask: _Asker, pid: int) -> str:
    """In a container the numbers are the host's, and only the driver knows the names."""
    import psutil

    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        path = _text(ask("SystemGetProcessName", pid) or "")
        return path.replace("\\", "/").rpartition("/")[2]


class _Asker:
    """Calls one NVML function; None for what this card, driver or system does not answer."""

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml

    def __call__(self, name: str, *arguments: Any) -> Any:
        function: Callable[..., Any] | None = getattr(self._nvml, f"nvml{name}", None)
        try:
            return function(*arguments) if function is not None else None
        except self._nvml.NVMLError:
            return None


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_nvml()))
