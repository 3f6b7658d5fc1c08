"""Values of planning: machine and wish go in, what was measured of a model, and the answer comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from inference.values import ALL_ON_CPU, KvType, LoadPlan, Placement
from inference.values import HOST as HOST
from inference.values import BufferBytes as BufferBytes

DeviceKind = Literal["discrete", "integrated"]
Verdict = Literal["fits", "tight", "partly_on_cpu", "larger_than_memory", "does_not_fit"]
# exact: from the engine's own dry run; estimate: computed from the header, where the dry run cannot be read.
Basis = Literal["exact", "estimate"]
# calibrated: measured on this device; learned: corrected by real answers; table: from published figures.
SpeedOrigin = Literal["learned", "calibrated", "table"]


# ---- in: the machine ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpeed:
    """How fast a device computes; every figure is what the real kernels reach, not what a data sheet says.

    read_bytes_per_second: while multiplying by weights, one token at a time, by ggml type name ("Q4_K"); "" is the
    figure for types that are not listed. flops_per_second: the same for a full batch.
    kv_read_bytes_per_second: while attending to keys and values, by "f16|flash", "f16|plain", "q8_0|flash" or
    "q4_0|flash"; "" else. The first two may hold "Q4_K|experts" beside "Q4_K", for routed experts; flops_per_second
    also "f16|flash" for attending with a full batch and "f16|flash|one" for attending with one token.
    node_seconds: cost of one graph node besides its work. split_seconds: of handing over to another device once.
    link_bytes_per_second: between host memory and this device, None for the host itself.
    spread: half-width of the honest range, as a fraction (0.3 = ±30 %).
    """

    read_bytes_per_second: dict[str, float]
    flops_per_second: dict[str, float]
    kv_read_bytes_per_second: dict[str, float]
    node_seconds: float
    split_seconds: float
    link_bytes_per_second: float | None
    origin: SpeedOrigin
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An accelerator that may be planned on. name: "CUDA0"-like, unique, without spaces.

    free_bytes: now, what will be unloaded for this model counted as free. reserve_bytes: of the free memory, what the
    plan must leave (driver context, pools, display, safety). shares_host_memory: its bytes are the host's bytes.
    """

    name: str
    description: str
    kind: DeviceKind
    total_bytes: int
    free_bytes: int
    reserve_bytes: int
    shares_host_memory: bool
    speed: DeviceSpeed

    @property
    def budget_bytes(self) -> int:
        """What a plan may take."""
        return max(0, self.free_bytes - self.reserve_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Processor and main memory, by the same rules as `Device`.

    decode_threads, batch_threads: chosen by calibration or by the processor's shape; threads_reason: key of plan.toml.
    repack: whether re-ordered weights pay on this processor (for what the processor computes).
    swap is not counted: a plan that swaps is no plan.
    """

    name: str
    total_bytes: int
    free_bytes: int
    reserve_bytes: int
    decode_threads: int
    batch_threads: int
    threads_reason: str
    repack: bool
    speed: DeviceSpeed
    disk_bytes_per_second: float

    @property
    def budget_bytes(self) -> int:
        """What a plan may take for good; mapped clean pages of a file do not count against it."""
        return max(0, self.free_bytes - self.reserve_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What can be planned on. devices: those that the engine can use, best first. hypothetical: "what if I had …".

    other_programs: (name, bytes) of what the user could close to gain host or device memory, largest first.
    """

    host: Host
    devices: tuple[Device, ...] = ()
    hypothetical: bool = False
    other_programs: tuple[tuple[str, int], ...] = ()


# ---- in: the wish ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user fixed; None leaves a number to the planner. A fixed number is kept and planned around.

    context_tokens: for one conversation. parallel: how many conversations of that length at once.
    gpu_layers: 0 is "processor only". typical_depth_tokens: how full the context usually is; the speed shown is for it.
    """

    context_tokens: int | None = None
    parallel: int | None = None
    kv_type_k: KvType | None = None
    kv_type_v: KvType | None = None
    flash_attention: bool | None = None
    swa_full: bool | None = None
    batch_tokens: int | None = None
    gpu_layers: int | None = None
    decode_threads: int | None = None
    memory_map: bool | None = None
    typical_depth_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ceilings that a failure has taught: the planner stays below them with numbers that the user did not fix.

    device_bytes: less budget for a device by name (HOST included), after it proved to hold more than was planned.
    """

    batch_tokens: int | None = None
    kv_type: KvType | None = None
    context_tokens: int | None = None
    device_bytes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """What earlier loads of such a model held beyond their bill, in bytes by device name (HOST included)."""

    device_bytes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A second file that is loaded beside the model: its projector, or a small model that drafts for it.

    host_bytes: what it holds where nothing lies on a device. device_bytes, device_host_bytes: what it holds on the
    placement's first device, and in main memory beside that.
    """

    kind: Literal["projector", "draft"]
    host_bytes: int
    device_bytes: int = 0
    device_host_bytes: int = 0


# ---- what is measured of a model ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One way to load a model: what the oracle measures. Fields as in LoadPlan."""

    context_tokens: int
    sequences: int
    batch_tokens: int
    outputs_max: int
    kv_type_k: KvType = "f16"
    kv_type_v: KvType = "f16"
    flash_attention: bool = True
    swa_full: bool = True
    repack: bool = True
    placement: Placement = ALL_ON_CPU


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the oracle says of one `Settings`. work_bytes: the processor's scratch memory for its worst graph."""

    buffers: tuple[BufferBytes, ...]
    work_bytes: int
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Alike operations of one layer, added up. layer: -1 before the first block, `layers` after the last.

    kind: "weights" (a dense product), "experts" (routed experts), "attention" (reading keys and values), "other".
    part: what a placement can move: "attention", "ffn", "experts", "shared", "output", "embedding", "other".
    weight_type: ggml type name of the weights, "" without weights. read_bytes: of weights, or of keys and values for a
    full context. flops: floating-point operations. nodes: graph nodes.
    cells: of "attention": how many tokens' keys read_bytes and flops are for (a sliding window keeps few); 0 elsewhere.
    """

    layer: int
    kind: Literal["weights", "experts", "attention", "other"]
    part: str
    weight_type: str
    read_bytes: float
    flops: float
    nodes: int
    cells: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCost:
    """The work of one call. tokens: of the call; context_tokens: what `attention` operations were measured for."""

    tokens: int
    context_tokens: int
    operations: tuple[Operation, ...]


# ---- out ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBytes:
    """One bar of the memory picture. other_bytes: sum of `Bill.terms` of this device that are not in the first three.

    soft_bytes: of weights_bytes, mapped clean pages that the system can drop and read again.
    """

    name: str
    description: str
    weights_bytes: int
    state_bytes: int
    compute_bytes: int
    other_bytes: int
    budget_bytes: int
    free_bytes: int
    soft_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All that this device holds."""
        return self.weights_bytes + self.state_bytes + self.compute_bytes + self.other_bytes

    @property
    def hard_bytes(self) -> int:
        """What counts against the budget."""
        return self.total_bytes - self.soft_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BillTerm:
    """One line of the memory bill. kind: key `bill_…` of plan.toml ("weights", "kv", "state", "compute", "output",
    "vocabulary", "work", "graph", "process", "projector", "draft", "context", "pool", "reserve")."""

    kind: str
    device: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Predicted memory: a bar for each device (the host first) and all lines behind them."""

    devices: tuple[DeviceBytes, ...]
    terms: tuple[BillTerm, ...]
    basis: Basis

    @property
    def total_bytes(self) -> int:
        """Over all devices."""
        return sum(device.total_bytes for device in self.devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An honest figure: low ≤ likely ≤ high."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedForecast:
    """Tokens per second at a depth of `depth_tokens`. slowest: the device that most of a token's time is spent on.

    depth_seconds: by how much one token takes longer for each token of depth.
    """

    decode: Range
    prefill: Range
    depth_tokens: int
    origin: SpeedOrigin
    slowest: str
    depth_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One change that would help. kind: key `advice_…` of plan.toml; fields fill its placeholders.

    saves_bytes: what it takes off the tightest device; makes_fit: with this change alone the plan fits.
    """

    kind: str
    fields: dict[str, str | int | float]
    saves_bytes: int
    makes_fit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer:
    """A plan with all that is known about it. `plan` is there for every verdict: the best that can be tried."""

    plan: LoadPlan
    bill: Bill
    speed: SpeedForecast
    verdict: Verdict
    advice: tuple[Advice, ...]
    limits: Limits = field(default_factory=Limits)
