"""What this machine has: `probe_hardware(folder) -> HardwareProfile`, `probe_memory() -> Memory`."""

from hardware_probe.probe import probe_hardware, probe_memory
from hardware_probe.values import Accelerator, Cpu, Disk, HardwareProfile, Memory, ProbeIssue

__all__ = ["Accelerator", "Cpu", "Disk", "HardwareProfile", "Memory", "ProbeIssue", "probe_hardware", "probe_memory"]
