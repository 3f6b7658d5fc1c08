"""What this machine has: `probe_hardware(folder) -> HardwareProfile`, `probe_memory() -> Memory`, live: `Monitor`."""

from hardware_probe.monitor import LiveAccelerator, LiveFigures, Monitor
from hardware_probe.probe import probe_hardware, probe_memory
from hardware_probe.values import Accelerator, AcceleratorUser, Cpu, Disk, HardwareProfile, Memory, ProbeIssue

__all__ = [
    "Accelerator",
    "AcceleratorUser",
    "Cpu",
    "Disk",
    "HardwareProfile",
    "LiveAccelerator",
    "LiveFigures",
    "Memory",
    "Monitor",
    "ProbeIssue",
    "probe_hardware",
    "probe_memory",
]
