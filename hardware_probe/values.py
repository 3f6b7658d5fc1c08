"""What this computer has, as far as it could be found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["cpu", "memory", "disk", "gpu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """The processor, as this process may use it.

    usable_cores: physical cores in the affinity mask (two hardware threads of one core count once).
    usable_threads: hardware threads in the affinity mask.
    quota_cores: CPU time that the control group grants, in cores (1.5 = one and a half), None for no limit.
    """

    name: str
    physical_cores: int
    logical_cores: int
    usable_cores: int
    usable_threads: int
    quota_cores: float | None


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
    """Room on the disk that holds `folder`, for a user who is not root."""

    folder: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A graphics card; free_bytes counts what all programs left."""

    name: str
    total_bytes: int
    free_bytes: int
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeIssue:
    """A part that could not be looked at. `detail` is technical English; `expected`: the part may simply not exist."""

    part: Part
    detail: str
    expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareProfile:
    """Everything that was found; a part that failed is None (or empty) and has an entry in `issues`."""

    cpu: Cpu | None
    memory: Memory | None
    disk: Disk | None
    gpus: tuple[Gpu, ...]
    issues: tuple[ProbeIssue, ...]
