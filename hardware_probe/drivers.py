"""The oldest driver that the engine's back ends work with, where the vendor publishes one."""

from __future__ import annotations

import re
import sys

from hardware_probe.values import Vendor

# CUDA 12 runs on these and newer ones by minor-version compatibility (CUDA toolkit release notes, table "CUDA Toolkit
# and Minimum Required Driver Version for CUDA Minor Version Compatibility"). WSL uses the driver of Windows, but its
# NVML reports the Windows version there as well.
_CUDA_12_LINUX = "525.60.13"
_CUDA_12_WINDOWS = "528.33"


def driver_minimum(vendor: Vendor, platform: str = sys.platform, *, wsl: bool = False) -> str | None:
    """As the vendor writes versions; None where no minimum is known."""
    if vendor != "nvidia":
        return None
    return _CUDA_12_WINDOWS if platform == "win32" or wsl else _CUDA_12_LINUX


def is_older(driver: str, minimum: str | None) -> bool:
    """Compares the numbers at the beginning of both, field by field; False where either cannot be read."""
    have, need = _numbers(driver), _numbers(minimum or "")
    return bool(have and need) and have < need


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\s*(\d{1,9}(?:\.\d{1,9})*)", version)
    return tuple(int(part) for part in found[1].split(".")) if found else ()
