"""What this computer has, as far as it could be found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["cpu", "memory", "disk", "gpu"]
DiskKind = Literal["ssd", "hdd", "network", "unknown"]
AcceleratorKind = Literal["discrete", "integrated"]
Vendor = Literal["nvidia", "amd", "intel", "apple", "huawei", "moore_threads", "hygon", "iluvatar", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """The processor, as this process may use it.

    usable_cores: physical cores in the affinity mask (two hardware threads of one core count once).
    usable_threads: hardware threads in the affinity mask.
    quota_cores: CPU time that the control group grants, in cores (1.5 = one and a half), None for no limit.
    performance_cores, efficiency_cores: of the usable ones; on a uniform processor all are performance cores.
    instruction_sets: those that matter to the engine, in ggml's names ("AVX2", "AVX512_VNNI", "NEON", "SVE" …).
    numa_nodes: memory nodes; 1 where memory is uniform.
    """

    name: str
    physical_cores: int
    logical_cores: int
    usable_cores: int
    usable_threads: int
    quota_cores: float | None
    performance_cores: int
    efficiency_cores: int = 0
    instruction_sets: tuple[str, ...] = ()
    numa_nodes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Main memory as this process may use it: the smaller of the machine's and the control group's figures.

    available_bytes: what can be taken without swapping; caches that the kernel would give back count as available.
    limited_by_group: the control group, not the machine, sets total_bytes.
    """

    total_bytes: int
    available_bytes: int
    limited_by_group: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Room on the disk that holds `folder`, for a user who is not root. kind: how fast it is likely to be."""

    folder: str
    total_bytes: int
    free_bytes: int
    kind: DiskKind = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorUser:
    """A program that holds memory of an accelerator; used_bytes None where the system does not tell."""

    pid: int
    name: str
    used_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """A graphics card or NPU, as all sources together describe it.

    total_bytes, free_bytes: None where nobody reports them (a device without them is not planned on); free_bytes counts
    what all programs left. shares_host_memory: its memory is main memory (integrated, Apple): count it once.
    pci_id: "0000:01:00.0", "" where unknown. engine_device: the engine's name of it ("CUDA0", "Vulkan1") when the
    engine here can use it, else None. driver_minimum: the oldest driver that the engine's back end for it works with,
    None where unknown; driver_too_old follows from it. sources: who reported it ("nvml", "engine", "rocm-smi" …).
    is_slice: a part of a card (MIG). memory_bytes_per_second, link_bytes_per_second: theoretical, of its memory and of
    its connection to the host, None where unknown.
    """

    name: str
    vendor: Vendor
    kind: AcceleratorKind
    total_bytes: int | None
    free_bytes: int | None
    shares_host_memory: bool = False
    pci_id: str = ""
    engine_device: str | None = None
    driver: str = ""
    driver_minimum: str | None = None
    driver_too_old: bool = False
    compute_capability: str = ""
    display_attached: bool | None = None
    is_slice: bool = False
    users: tuple[AcceleratorUser, ...] = ()
    memory_bytes_per_second: float | None = None
    link_bytes_per_second: float | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeIssue:
    """A part that could not be looked at, or is not as it should be.

    detail: technical English. expected: the part may simply not exist. advice: key below `advice` in
    `resources/texts/probe.toml` of a sentence that says what the user can do, "" for none.
    """

    part: Part
    detail: str
    expected: bool
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareProfile:
    """Everything that was found; a part that failed is None (or empty) and has an entry in `issues`."""

    cpu: Cpu | None
    memory: Memory | None
    disk: Disk | None
    accelerators: tuple[Accelerator, ...]
    issues: tuple[ProbeIssue, ...]
