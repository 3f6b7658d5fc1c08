"""What was measured on what: without it the figures mean nothing."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import app
from hardware_probe.probe import probe_hardware


def machine(model_path: Path) -> dict[str, Any]:
    """Plain values for the JSON output."""
    profile = probe_hardware(model_path.parent)
    return {
        "liangli": app.VERSION,
        "model": model_path.name,
        "model_bytes": model_path.stat().st_size,
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpu": profile.cpu and profile.cpu.name,
        "usable_cores": profile.cpu and profile.cpu.usable_cores,
        "total_memory_bytes": profile.memory and profile.memory.total_bytes,
    }
