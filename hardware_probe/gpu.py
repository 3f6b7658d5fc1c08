"""Graphics cards, asked for in a short-lived child process with a time limit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hardware_probe.values import Accelerator, ProbeIssue

LIMIT_SECONDS = 10.0
# Without one of these no NVIDIA driver can answer on Linux (/dev/dxg: Windows Subsystem for Linux).
_LINUX_DEVICES = ("/dev/nvidiactl", "/dev/dxg")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuReadings:
    """What the child printed and how it ended. exit_code None: it took too long; no_device: it was not run."""

    output: str
    exit_code: int | None
    no_device: bool = False


def read_gpus(limit_seconds: float = LIMIT_SECONDS) -> GpuReadings:
    """Ask the driver. May raise OSError when no child can be started."""
    if sys.platform == "darwin" or (
        sys.platform == "linux" and not any(Path(device).exists() for device in _LINUX_DEVICES)
    ):
        return GpuReadings(output="", exit_code=0, no_device=True)
    command = [sys.executable, "-m", "hardware_probe.nvml"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_seconds, check=False)
    except subprocess.TimeoutExpired:
        return GpuReadings(output="", exit_code=None)
    return GpuReadings(output=done.stdout, exit_code=done.returncode)


def parse_gpus(readings: GpuReadings) -> tuple[tuple[Accelerator, ...], ProbeIssue | None]:
    """Pure. The cards, and the issue if they could not be asked for; having no NVIDIA card is an expected issue."""
    if readings.no_device:
        return (), _issue("no NVIDIA device", expected=True)
    if readings.exit_code is None:
        return (), _issue("the NVIDIA driver did not answer in time")
    if readings.exit_code != 0:
        return (), _issue(f"the NVIDIA probe ended with exit code {readings.exit_code}")
    try:
        found = json.loads(readings.output)
        if "error" in found:
            return (), _issue(str(found["error"]), expected=bool(found.get("absent")))
        driver = str(found["driver"])
        gpus = tuple(
            Accelerator(
                vendor="nvidia",
                kind="discrete",
                sources=("nvml",),
                name=str(gpu["name"]),
                total_bytes=int(gpu["total_bytes"]),
                free_bytes=int(gpu["free_bytes"]),
                driver=driver,
            )
            for gpu in found["gpus"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return (), _issue("the NVIDIA probe gave an answer that cannot be read")
    return gpus, None


def _issue(detail: str, *, expected: bool = False) -> ProbeIssue:
    return ProbeIssue(part="gpu", detail=detail, expected=expected)
