"""What a calibration found out about the processor, and its form on disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import msgspec

from inference.planning.values import DeviceSpeed, GraphCost, Operation

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadTiming:
    """Seconds of one decoded token and of one token of a batch of the toy model, with so many threads."""

    threads: int
    repack: bool
    decode_seconds: float
    batch_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Measured with the engine's own kernels. Valid for one processor and one version of the engine.

    speed: for decode_threads and batch_threads. repack: re-ordered weights pay. contended: other programs computed
    meanwhile, so all figures may be too low. timings: what the choice of threads and of repack was made from.
    """

    cpu_name: str
    engine: str
    decode_threads: int
    batch_threads: int
    repack: bool
    contended: bool
    seconds: float
    speed: DeviceSpeed
    timings: tuple[ThreadTiming, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    calibration: Calibration


def to_json(calibration: Calibration) -> str:
    """As it is written to disk."""
    return msgspec.json.encode(_File(version=_VERSION, calibration=calibration)).decode()


def from_json(text: str, *, cpu_name: str, engine: str) -> Calibration | None:
    """None when it is damaged, of another version of this file, or of another processor or engine."""
    try:
        file = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, UnicodeError):
        return None
    found = file.calibration
    if file.version != _VERSION or (found.cpu_name, found.engine) != (cpu_name, engine) or not _sound(found):
        return None
    return found


def _sound(calibration: Calibration) -> bool:
    speed = calibration.speed
    tables = (speed.read_bytes_per_second, speed.flops_per_second, speed.kv_read_bytes_per_second)
    figures = [figure for table in tables for figure in table.values()]
    return (
        all("" in table for table in tables)
        and all(math.isfinite(figure) and figure > 0 for figure in figures)
        and 0 <= speed.node_seconds < 1
        and 0 < speed.spread <= 1
        and min(calibration.decode_threads, calibration.batch_threads) >= 1
    )


# ---- from what was timed to what is planned with --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """How the processor is used best."""

    decode_threads: int
    batch_threads: int
    repack: bool


# What a usual request is made of: so many tokens are read for one that is written.
_READ_FOR_ONE_WRITTEN = 3.0
# Fewer threads leave room for other programs: more of them have to be faster by this.
_WORTH_A_THREAD = 0.04
_WORTH_THE_DEFAULT = 0.04
# Other programs compute too: calls differ by this, or the threads were given less than this part of their time.
_CONTENDED_RATIO, _GIVEN_SHARE = 1.3, 0.85
_SPREAD, _SPREAD_CONTENDED = 0.15, 0.40
# Beside the node cost no operation is believed to take less than this part of what was timed.
_LEAST_SHARE = 0.2
# Cells of four bits beside cells of eight, measured: 18 against 30 prompt tokens per second at some depth.
_FOUR_BIT_KEYS = 0.6

# Types that are not timed are read about as fast as one that is.
_ALIKE = {
    "Q4_0": "Q4_K", "Q4_1": "Q4_K", "IQ4_NL": "IQ4_XS", "MXFP4": "IQ4_XS", "Q5_1": "Q5_0",
    "F32": "F16", "BF16": "F16",
}  # fmt: skip
# With a batch, types of small blocks that are not re-ordered compute like the plainest of them.
_ALIKE_IN_BATCHES = _ALIKE | {"Q4_1": "Q8_0", "Q5_0": "Q8_0", "Q5_1": "Q8_0"}


def choose(timings: Sequence[ThreadTiming]) -> Chosen:
    """Threads for one token and for a batch, and whether re-ordered weights pay. timings: at least one."""

    def usual(repack: bool) -> float:
        mine = [timing for timing in timings if timing.repack == repack]
        if not mine:
            return math.inf
        fastest = min(timing.batch_seconds for timing in mine)
        return min(timing.decode_seconds for timing in mine) + _READ_FOR_ONE_WRITTEN * fastest

    # The engine's default, unless it clearly costs.
    repack = usual(True) * (1.0 - _WORTH_THE_DEFAULT) <= usual(False)
    mine = sorted((timing for timing in timings if timing.repack == repack), key=lambda timing: timing.threads)
    decode = batch = mine[0]
    for timing in mine[1:]:
        if timing.decode_seconds < decode.decode_seconds * (1.0 - _WORTH_A_THREAD):
            decode = timing
        if timing.batch_seconds < batch.batch_seconds * (1.0 - _WORTH_A_THREAD):
            batch = timing
    return Chosen(decode_threads=decode.threads, batch_threads=batch.threads, repack=repack)


@dataclass(slots=True, kw_only=True)
class Strain:
    """How much other programs computed meanwhile.

    ratios: median to best, of alike calls. wanted_seconds: that the threads were there for; given_seconds: of these,
    those in which the processor was theirs.
    """

    ratios: list[float] = field(default_factory=list)
    wanted_seconds: float = 0.0
    given_seconds: float = 0.0

    @property
    def contended(self) -> bool:
        """The figures are too low to be trusted."""
        if self.given_seconds < _GIVEN_SHARE * self.wanted_seconds:
            return True
        return bool(self.ratios) and median(self.ratios) > _CONTENDED_RATIO


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a calibration has found so far; figures are of the kernels alone, the cost of nodes taken off."""

    chosen: Chosen
    timings: tuple[ThreadTiming, ...]
    node_seconds: float = 0.0
    contended: bool = False
    seconds: float = 0.0
    read: dict[str, float] = field(default_factory=dict)
    flops: dict[str, float] = field(default_factory=dict)
    keys: dict[str, float] = field(default_factory=dict)

    def add_first(self, weight_type: str, one: GraphCost, batch: GraphCost) -> None:
        """The toy that the choice was made with."""
        mine = {timing.threads: timing for timing in self.timings if timing.repack == self.chosen.repack}
        self.add_weights(weight_type, one, mine[self.chosen.decode_threads].decode_seconds)
        self.add_batch(weight_type, batch, batch.tokens * mine[self.chosen.batch_threads].batch_seconds)

    def add_weights(self, weight_type: str, cost: GraphCost, seconds: float, *, experts: bool = False) -> None:
        """One token took `seconds`; in a toy with experts, what is not theirs is taken off as already known."""
        mine, left = self._mine(cost, seconds, experts=experts, read=True)
        self.read[f"{weight_type}|experts" if experts else weight_type] = mine.read_bytes / left

    def add_batch(self, weight_type: str, cost: GraphCost, seconds: float, *, experts: bool = False) -> None:
        """The same for a batch."""
        mine, left = self._mine(cost, seconds, experts=experts, read=False)
        self.flops[f"{weight_type}|experts" if experts else weight_type] = mine.flops / left

    def add_attention(self, key: str, one: GraphCost, *, cells: int, seconds: float, tokens: int) -> None:
        """`cells` more cells took `seconds` longer, for each of `tokens` tokens of a call."""
        attention = [operation for operation in one.operations if operation.kind == "attention"]
        share = cells / one.context_tokens
        flops = share * tokens * sum(operation.flops for operation in attention)
        seconds = max(seconds, 1e-9)
        self.flops[f"{key}|one" if tokens == 1 else key] = flops / seconds
        if tokens == 1:
            self.keys[key] = share * sum(operation.read_bytes for operation in attention) / seconds

    def _mine(self, cost: GraphCost, seconds: float, *, experts: bool, read: bool) -> tuple[Operation, float]:
        kind = "experts" if experts else "weights"
        mine = [operation for operation in cost.operations if operation.kind == kind]
        left = seconds - self.node_seconds * sum(operation.nodes for operation in cost.operations)
        for operation in cost.operations if experts else ():
            figures = self.read if read else self.flops
            if operation.kind == "weights" and operation.weight_type in figures:
                left -= (operation.read_bytes if read else operation.flops) / figures[operation.weight_type]
        total = replace(
            mine[0],
            read_bytes=sum(operation.read_bytes for operation in mine),
            flops=sum(operation.flops for operation in mine),
        )
        return total, max(left, _LEAST_SHARE * seconds)


def calibration_of(findings: Findings, *, cpu_name: str, engine: str) -> Calibration:
    """The result. A type that was not timed is taken for the slowest one that was; experts like those that were."""
    read, flops, keys = dict(findings.read), dict(findings.flops), dict(findings.keys)
    dense = [name for name in read if "|" not in name]
    for figures, alike in ((read, _ALIKE), (flops, _ALIKE_IN_BATCHES)):
        known = {name: figures[like] for name, like in alike.items() if like in figures}
        figures.update(known | figures)
    read[""] = min(read[name] for name in dense)
    flops[""] = min(flops[name] for name in dense if name in flops)
    for figures in (read, flops):
        measured = [name for name in figures if name.endswith("|experts")]
        for name in measured:
            # Other types lose as much by being split into experts.
            loss = min(1.0, figures[name] / figures[name.removesuffix("|experts")])
            figures.update(
                {f"{other}|experts": loss * figures[other] for other in [*dense, *_ALIKE] if other in figures}
            )
            figures["|experts"] = loss * figures[""]
    keys[""] = min(keys.values(), default=read[""])
    if "q8_0|flash" in flops:
        for suffix in ("", "|one"):
            flops[f"q4_0|flash{suffix}"] = _FOUR_BIT_KEYS * flops[f"q8_0|flash{suffix}"]
        keys["q4_0|flash"] = 0.5 * _FOUR_BIT_KEYS * keys["q8_0|flash"]
    return Calibration(
        cpu_name=cpu_name,
        engine=engine,
        decode_threads=findings.chosen.decode_threads,
        batch_threads=findings.chosen.batch_threads,
        repack=findings.chosen.repack,
        contended=findings.contended,
        seconds=findings.seconds,
        speed=DeviceSpeed(
            read_bytes_per_second=read,
            flops_per_second=flops,
            kv_read_bytes_per_second=keys,
            node_seconds=findings.node_seconds,
            split_seconds=0.0,
            link_bytes_per_second=None,
            origin="calibrated",
            spread=_SPREAD_CONTENDED if findings.contended else _SPREAD,
        ),
        timings=findings.timings,
    )
