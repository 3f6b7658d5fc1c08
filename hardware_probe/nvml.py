"""Asks NVIDIA's driver about its cards; run as a child (`python -m hardware_probe.nvml`), for a driver may hang."""

from __future__ import annotations

import json
import sys
from typing import Any


def read_nvml() -> dict[str, Any]:
    """{"driver": …, "gpus": [{"name", "total_bytes", "free_bytes"}, …]}, or {"error": …, "absent": bool}."""
    try:
        import pynvml
    except ImportError as error:
        return {"error": str(error), "absent": True}
    try:
        pynvml.nvmlInit()
        gpus = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            gpus.append(
                {
                    "name": _text(pynvml.nvmlDeviceGetName(handle)),
                    "total_bytes": int(memory.total),
                    "free_bytes": int(memory.free),
                }
            )
        return {"driver": _text(pynvml.nvmlSystemGetDriverVersion()), "gpus": gpus}
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return {"error": str(error), "absent": error.value in absent}


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_nvml()))
