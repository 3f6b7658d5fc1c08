"""Values about memory plans that the service and its faces exchange as JSON; also what `liangli plan --json` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from app.values import ErrorBody

PlanVerdict = Literal["fits", "tight", "partly_on_cpu", "larger_than_memory", "does_not_fit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """What the user fixed, all optional; a fixed number is planned around. kv: for keys and values alike.

    context: tokens of one conversation; parallel: conversations of that length at once. gpus: "what if I had" these
    cards instead ("RTX 4060 8GB"); () is what is here, ("none",) no card. ram: "16G", "" is what is here.
    projector, draft: files on this computer that are loaded beside the model, "" for none.
    """

    context: int | None = None
    parallel: int | None = None
    kv: str | None = None
    flash_attention: bool | None = None
    swa_full: bool | None = None
    batch: int | None = None
    gpu_layers: int | None = None
    threads: int | None = None
    mmap: bool | None = None
    gpus: tuple[str, ...] = ()
    ram: str = ""
    projector: str = ""
    draft: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDevice:
    """One bar of the memory picture: the processor's memory first, then each card.

    soft_bytes: part of weights_bytes that lies in a mapped file and can be dropped; budget_bytes: what a plan may take.
    measured_bytes: what a loaded model really holds there, None while it is not loaded.
    """

    name: str
    description: str
    weights_bytes: int
    state_bytes: int
    compute_bytes: int
    other_bytes: int
    soft_bytes: int
    budget_bytes: int
    free_bytes: int
    total_bytes: int
    measured_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of the memory bill; its words are `plan.bill.KIND`."""

    kind: str
    device: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpeed:
    """Tokens per second at depth_tokens, as low – likely – high; its origin's words are `plan.origin.ORIGIN`."""

    decode: tuple[float, float, float]
    prefill: tuple[float, float, float]
    depth_tokens: int
    origin: str
    slowest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReason:
    """Who chose one number, and why."""

    field: str
    value: str
    chosen_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAdvice:
    """One change that would help; its words are `plan.advice.KIND` with `fields`."""

    kind: str
    fields: dict[str, Any]
    saves_bytes: int
    makes_fit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan with all that is known about it."""

    model: str
    quantization: str
    file_bytes: int
    basis: str
    verdict: PlanVerdict
    devices: tuple[PlanDevice, ...]
    total_bytes: int
    bill: tuple[BillLine, ...]
    context: int
    trained_context: int
    parallel: int
    sequences: int
    ubatch: int
    batch: int
    kv_type_k: str
    kv_type_v: str
    flash_attention: bool
    swa_full: bool
    outputs_max: int
    gpu_layers: int
    layers: int
    tensor_split: tuple[float, ...]
    overrides: tuple[tuple[str, str], ...]
    load_mode: str
    threads: int
    batch_threads: int
    speed: PlanSpeed
    reasons: tuple[PlanReason, ...]
    advice: tuple[PlanAdvice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedQuantization:
    """One quantization of a model: its plan, or why there is none."""

    name: str
    size_bytes: int
    plan: PlanView | None
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """All quantizations that were asked for; `best` is the index of the one to take, None when none can run well.

    machine: one line for each device that was planned on. hypothetical: "what if I had …". listing_age_seconds: how old
    the hub's listing is where it cannot be asked now, None where it was asked or need not be.
    """

    model: str
    quantizations: tuple[PlannedQuantization, ...]
    best: int | None
    machine: tuple[str, ...] = ()
    hypothetical: bool = False
    wish: PlanWish = field(default_factory=PlanWish)
    listing_age_seconds: float | None = None


# ---- the computer ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorView:
    """A card. usable: the engine here can compute on it; users: (program, bytes or None), largest first."""

    name: str
    vendor: str
    kind: str
    total_bytes: int | None
    free_bytes: int | None
    shares_host_memory: bool
    usable: bool
    driver: str
    driver_too_old: bool
    display_attached: bool | None
    users: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareIssue:
    """A part that could not be looked at. advice: key of `resources/texts/probe.toml`, "" for none."""

    part: str
    detail: str
    expected: bool
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareView:
    """What this computer has; 0 or "" where it could not be found out (an issue says why).

    calibrated_at: seconds since the epoch, None when its speed was never measured.
    """

    cpu_name: str
    physical_cores: int
    performance_cores: int
    efficiency_cores: int
    usable_cores: int
    quota_cores: float | None
    instruction_sets: tuple[str, ...]
    numa_nodes: int
    memory_total_bytes: int
    memory_available_bytes: int
    memory_limited_by_group: bool
    disk_folder: str
    disk_kind: str
    disk_free_bytes: int
    disk_total_bytes: int
    accelerators: tuple[AcceleratorView, ...]
    issues: tuple[HardwareIssue, ...]
    calibrated_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAcceleratorView:
    """free_bytes: None where nothing cheap tells."""

    name: str
    free_bytes: int | None
    total_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """The computer at this moment; cpu_load 0..1."""

    memory_available_bytes: int
    memory_total_bytes: int
    cpu_load: float
    accelerators: tuple[LiveAcceleratorView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationStatus:
    """How far the measuring of this computer's speed is. state: "none", "running", "done", "failed", "cancelled"."""

    state: str
    fraction: float = 0.0
    error: ErrorBody | None = None
