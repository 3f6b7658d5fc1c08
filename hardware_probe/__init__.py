"""What this machine has: `probe_hardware(folder) -> HardwareProfile`, `probe_memory() -> Memory`."""

from hardware_probe.probe import probe_hardware, probe_memory
from hardware_probe.values import Cpu, Disk, Gpu, HardwareProfile, Memory, ProbeIssue

__all__ = ["Cpu", "Disk", "Gpu", "HardwareProfile", "Memory", "ProbeIssue", "probe_hardware", "probe_memory"]
