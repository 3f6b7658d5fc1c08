"""Looks for the fastest way to load a model within the budgets: estimates order the candidates, measurements decide.

Time is counted for a typical answer, at the depth that a conversation usually has. Every plan that is returned was
measured as it is; estimates only say what to measure next, so that few measurements do.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from inference.planning import levers
from inference.planning.bill import make_bill
from inference.planning.budget import hard_bytes, most_growth_bytes, pools, shortages, spare_fraction
from inference.planning.forecast import Mapped
from inference.planning.levers import LARGE_BATCH_TOKENS, Variant
from inference.planning.oracle import MeasureFailed, Oracle
from inference.planning.placement import Layout, Room, Sharing, Style, fill, placement, share_bytes
from inference.planning.shape import ModelShape, Shapes
from inference.planning.values import (
    HOST,
    Bill,
    Companion,
    Device,
    Limits,
    Machine,
    Residuals,
    Settings,
    SpeedForecast,
    Wish,
)
from models_catalog.gguf.header import GgufHeader

# A typical answer: so many tokens are new since the last one, and so many are written.
_NEW_TOKENS, _ANSWER_TOKENS = 512, 300
_DEEPEST_TYPICAL_TOKENS = 8192
# Corrections of a layout by measuring; two are usual.
_MOST_CORRECTIONS = 5
# Kinds of placement that are measured for one variant, the most promising first.
_MOST_FAMILIES = 3
# Of more devices than these not every group is looked at, but the best two, three, four …
_FEW_DEVICES = 4
# Faster by less is not worth measuring another kind of placement, or a larger batch.
_NOTICEABLE = 1.03
# Attention without flash needs much memory; it must not take the last of it, nor be a burden beside the weights.
_PLAIN_ATTENTION_SPARE, _PLAIN_ATTENTION_SHARE = 0.1, 0.25
# A context that takes longer to fill is no gift: who pastes that much would wait for minutes before the first word.
_MOST_READING_SECONDS = 180.0
# Where the slope of reading is taken: within the graph that the speed of an answer is read from anyway.
_NEAR_TOKENS, _FAR_TOKENS = 2048, 4096


class Forecaster(Protocol):
    """Predicts speed for settings that need not have been measured."""

    def __call__(self, settings: Settings, *, depth_tokens: int, mapped: Mapped | None) -> SpeedForecast:
        """mapped: host weights in less memory than they need, None when they have room."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One measured way to load the model. seconds: of a typical answer. missing_bytes: over all budgets, 0: it fits.

    layout: None where all lies on the host. streams: weights are read from the disk again and again.
    """

    variant: Variant
    settings: Settings
    layout: Layout | None
    memory_map: bool
    streams: bool
    bill: Bill
    speed: SpeedForecast
    seconds: float
    missing_bytes: int

    @property
    def rank(self) -> tuple[int, float]:
        """Less is better: what fits first, then what is fast for the comfort that it gives."""
        return self.missing_bytes, self.seconds * self.variant.price


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """Placements of one kind. devices: in the order of layers."""

    devices: tuple[Device, ...]
    style: Style
    sharing: Sharing


class Search:
    """One search; everything that was measured is remembered for its other steps."""

    def __init__(
        self,
        *,
        header: GgufHeader,
        machine: Machine,
        wish: Wish,
        oracle: Oracle,
        limits: Limits,
        residuals: Residuals,
        companions: Sequence[Companion],
        forecaster: Forecaster,
        shapes: Shapes,
    ) -> None:
        self._header, self._machine, self._wish, self._oracle = header, machine, wish, oracle
        self._limits, self._residuals, self._companions = limits, residuals, companions
        self._forecaster = forecaster
        self._shapes = shapes
        roomy = tuple(device for device in machine.devices if device.budget_bytes > 0)
        # Layers that the user wants on a device lie on one, even if there is no room.
        self._devices = () if wish.gpu_layers == 0 else roomy or (machine.devices if wish.gpu_layers else ())
        self._budgets = {pool.name: pool.budget_bytes for pool in pools(machine, limits)}
        self._begin_with(levers.first_variant(header, machine, wish, limits))

    def _begin_with(self, first: Variant) -> None:
        self._first = first
        self.depth_tokens = self._wish.typical_depth_tokens or min(first.context_tokens // 4, _DEEPEST_TYPICAL_TOKENS)
        # By device and batch: what a device holds besides weights and state.
        self._overheads: dict[tuple[str, int], int] = {}
        self._host = self._measured(first, first.settings, None)

    @property
    def first(self) -> Variant:
        """The settings that would be taken if there were memory without end."""
        return self._first

    def best(self) -> Candidate:
        """The best plan there is; when nothing fits, the one that lacks least. Raises MeasureFailed."""
        best = self._best_variant()
        slow = levers.slow_reader_variant(self._first, self._wish)
        if slow is not None and best.variant.context_tokens > slow.context_tokens and not self._reads_in_time(best):
            self._begin_with(slow)
            best = self._best_variant()
        return self._with_longer_context(best)

    def _best_variant(self) -> Candidate:
        best: Candidate | None = None
        for variant in levers.variants(self._header, self._first, self._wish, on_devices=bool(self._devices)):
            for found in self._candidates(variant, best):
                if best is None or found.rank < best.rank:
                    best = found
            if best is not None and self._is_comfortable(best):
                break
        return self._with_larger_batch(best or self._host)

    # ---- candidates of one variant

    def _candidates(self, variant: Variant, best: Candidate | None) -> Iterator[Candidate]:
        """Measured candidates that promise more than `best`; variants that the engine refuses have none."""
        refusable = variant is not self._first
        try:
            if self._may_lie_on_host and (best is None or best.missing_bytes or not self._devices):
                yield self._on_host(variant)
            yield from self._on_devices(variant, best)
        except MeasureFailed:
            if not refusable:
                raise

    @property
    def _may_lie_on_host(self) -> bool:
        return not self._wish.gpu_layers or not self._devices

    def _is_comfortable(self, candidate: Candidate) -> bool:
        """Nothing that could be given up would make it noticeably faster."""
        if candidate.missing_bytes or candidate.streams:
            return False
        if candidate.layout is None:
            return not self._devices
        layers = self._wish.gpu_layers or self._shapes.layers
        alone = len(candidate.layout.shares) == 1
        return alone and not candidate.layout.spills and candidate.layout.gpu_layers >= min(layers, self._shapes.layers)

    def _on_host(self, variant: Variant) -> Candidate:
        """All on the host; attention without flash where it is faster there and its memory is at hand."""
        flash = self._host if variant is self._first else self._measured(variant, variant.settings, None)
        settings = variant.settings
        plain_bytes = self._plain_bytes(settings)
        fixed = self._wish.flash_attention is not None or settings.kv_type_v not in ("f16", "bf16")
        spare = self._budgets[HOST] - flash.bill.devices[0].hard_bytes
        if fixed or flash.missing_bytes or flash.streams or plain_bytes > min(spare, self._most_plain_bytes):
            return flash
        plain = self._measured(variant, replace(settings, flash_attention=False), None)
        roomy = spare_fraction(plain.bill, self._machine, self._limits) >= _PLAIN_ATTENTION_SPARE
        faster = not plain.missing_bytes and plain.seconds * _NOTICEABLE < flash.seconds
        return plain if roomy and faster and plain.memory_map == flash.memory_map else flash

    def _plain_bytes(self, settings: Settings) -> int:
        """Scores of a whole batch, of one layer, in 32 bits: what attention without flash holds besides."""
        return 4 * (self._header.heads or 0) * settings.context_tokens * settings.batch_tokens

    @property
    def _most_plain_bytes(self) -> int:
        return int(_PLAIN_ATTENTION_SHARE * self._shapes.weight_bytes)

    def _on_devices(self, variant: Variant, best: Candidate | None) -> Iterator[Candidate]:
        shape = self._shapes.shape(variant.settings)
        promising = sorted(
            (
                (self._estimate(variant, shape, layout), number, family, layout)
                for number, (family, layout) in enumerate(self._families(variant, shape))
            ),
            key=lambda item: item[:2],
        )
        for estimate, _, family, _ in promising[:_MOST_FAMILIES]:
            if best is not None and not best.missing_bytes and estimate * _NOTICEABLE > best.rank[1]:
                return
            found = self._corrected(variant, shape, family)
            if best is None or found.rank < best.rank:
                best = found
            yield found

    def _families(self, variant: Variant, shape: ModelShape) -> Iterator[tuple[_Family, Layout]]:
        """Kinds of placement whose first layouts differ."""
        seen: set[Layout] = set()
        for devices in self._device_sets():
            for style in ("whole", "spill"):
                for sharing in ("even", "greedy") if len(devices) > 1 else ("even",):
                    family = _Family(
                        devices=devices if sharing == "even" else devices[::-1],
                        style=style,
                        sharing=sharing,
                    )
                    layout = self._layout(variant, shape, family)
                    if layout.shares and layout not in seen:
                        seen.add(layout)
                        yield family, layout

    def _device_sets(self) -> Iterator[tuple[Device, ...]]:
        """Each device alone, then groups of those with memory of their own, best first; of equal groups the first."""
        for device in self._devices:
            if device.shares_host_memory:
                yield (device,)
        own = tuple(device for device in self._devices if not device.shares_host_memory)
        alike: set[tuple[tuple[str, int], ...]] = set()
        for count in range(1, len(own) + 1):
            few = len(own) <= _FEW_DEVICES or count == 1
            for devices in itertools.combinations(own, count) if few else [own[:count]]:
                key = tuple((device.description, device.budget_bytes) for device in devices)
                if key not in alike:
                    alike.add(key)
                    yield devices

    def _layout(self, variant: Variant, shape: ModelShape, family: _Family) -> Layout:
        batch = variant.settings.batch_tokens
        rooms = [
            Room(device=device.name, bytes=self._budgets[device.name] - self._overhead(device.name, batch))
            for device in family.devices
        ]
        return fill(
            shape, rooms, style=family.style, sharing=family.sharing, fixed_layers=self._wish.gpu_layers or None
        )

    def _overhead(self, device: str, batch_tokens: int) -> int:
        """What is known of it; at first, as much as the host would need for computing."""
        if (device, batch_tokens) in self._overheads:
            return self._overheads[device, batch_tokens]
        learned = self._residuals.device_bytes.get(device, 0)
        guess = self._host.bill.devices[0].compute_bytes * batch_tokens // self._first.settings.batch_tokens
        return guess + learned

    def _corrected(self, variant: Variant, shape: ModelShape, family: _Family) -> Candidate:
        """The family's best candidate: measured, and filled anew with what the measurement taught."""
        measured: dict[Layout, Candidate] = {}
        for _ in range(_MOST_CORRECTIONS):
            layout = self._layout(variant, shape, family)
            if layout in measured:
                break
            settings = replace(variant.settings, placement=placement(layout))
            measured[layout] = self._measured(variant, settings, layout)
            taken = {device.name: device.hard_bytes for device in measured[layout].bill.devices}
            for share in layout.shares:
                overhead = taken[share.device] - share_bytes(shape, share)
                self._overheads[share.device, settings.batch_tokens] = overhead
        return min(measured.values(), key=lambda candidate: candidate.rank)

    # ---- estimate and measurement

    def _estimate(self, variant: Variant, shape: ModelShape, layout: Layout) -> float:
        """The rank that a layout is likely to have."""
        settings = replace(variant.settings, placement=placement(layout))
        host = self._host.bill.devices[0]
        moved = sum(share_bytes(shape, share) for share in layout.shares)
        states = sum(
            shape.blocks[layer].state_bytes
            for share in layout.shares
            for layer in range(share.first, min(share.first + share.layers, len(shape.blocks)))
        )
        weights = max(0, host.weights_bytes - (moved - states))
        others = max(0, host.state_bytes - states) + host.compute_bytes + host.other_bytes
        mapped = self._mapped(weights, others) if self._wish.memory_map is not False else None
        speed = self._forecaster(settings, depth_tokens=self.depth_tokens, mapped=mapped)
        return typical_seconds(speed) * variant.price

    def _measured(self, variant: Variant, settings: Settings, layout: Layout | None) -> Candidate:
        """A candidate as measured; host weights are mapped from the file where copies of them have no room."""
        wish = self._wish.memory_map
        moved = sum(share_bytes(self._shapes.shape(settings), share) for share in layout.shares) if layout else 0
        hopeless = wish is None and self._shapes.weight_bytes - moved > self._budgets[HOST]
        copied = None if wish or hopeless else self._billed(variant, settings, layout, memory_map=False)
        if copied is not None and (wish is False or HOST not in self._missing(copied.bill)):
            return copied
        mapped = self._billed(variant, replace(settings, repack=False), layout, memory_map=True)
        return mapped if copied is None or mapped.missing_bytes < copied.missing_bytes else copied

    def _billed(self, variant: Variant, settings: Settings, layout: Layout | None, *, memory_map: bool) -> Candidate:
        bill = make_bill(
            header=self._header,
            machine=self._machine,
            settings=settings,
            measured=self._oracle.measure(settings),
            memory_map=memory_map,
            limits=self._limits,
            residuals=self._residuals,
            companions=self._companions,
        )
        mapped = self._mapped(bill.devices[0].soft_bytes, hard_bytes(bill, pools(self._machine)[0]))
        speed = self._forecaster(settings, depth_tokens=self.depth_tokens, mapped=mapped)
        return Candidate(
            variant=variant,
            settings=settings,
            layout=layout,
            memory_map=memory_map,
            streams=mapped is not None,
            bill=bill,
            speed=speed,
            seconds=typical_seconds(speed),
            missing_bytes=sum(self._missing(bill).values()),
        )

    def _mapped(self, soft_bytes: int, taken_bytes: int) -> Mapped | None:
        """Weights for which the system's cache has not enough room."""
        room = max(0, self._machine.host.free_bytes - taken_bytes)
        return Mapped(weight_bytes=soft_bytes, memory_bytes=room) if soft_bytes > room else None

    def _missing(self, bill: Bill) -> dict[str, int]:
        return shortages(bill, self._machine, self._limits)

    def _reads_in_time(self, candidate: Candidate) -> bool:
        """Whether a whole context can be read in some minutes; each token takes longer in proportion to its depth."""
        mapped = self._mapped(candidate.bill.devices[0].soft_bytes, hard_bytes(candidate.bill, pools(self._machine)[0]))
        near, far = (
            1 / max(self._forecaster(candidate.settings, depth_tokens=depth, mapped=mapped).prefill.likely, 1e-9)
            for depth in (_NEAR_TOKENS, _FAR_TOKENS)
        )
        context = candidate.variant.context_tokens
        deeper = max(0, context - _FAR_TOKENS) / (_FAR_TOKENS - _NEAR_TOKENS)
        return context * (far + deeper * max(0.0, far - near)) <= _MOST_READING_SECONDS

    # ---- afterwards

    def _with_larger_batch(self, best: Candidate) -> Candidate:
        """Weights of the host travel to the device once for each batch: larger batches read a prompt faster."""
        limit = self._limits.batch_tokens
        layout, settings = best.layout, best.settings
        if layout is None or best.missing_bytes or self._wish.batch_tokens or (limit and limit < LARGE_BATCH_TOKENS):
            return best
        if settings.context_tokens < LARGE_BATCH_TOKENS or not (
            layout.spills or layout.gpu_layers < self._shapes.layers - 1
        ):
            return best
        variant = replace(best.variant, settings=replace(best.variant.settings, batch_tokens=LARGE_BATCH_TOKENS))
        larger = [found for found in self._on_devices(variant, best) if found.rank < best.rank]
        return min([best, *larger], key=lambda candidate: candidate.rank)

    def _with_longer_context(self, best: Candidate) -> Candidate:
        """A longer context where it takes little of what is left, and nothing else changes for it."""
        if best.missing_bytes or (best.memory_map and self._wish.memory_map is None):
            return best
        start = best.bill
        left = {pool.name: pool.budget_bytes - hard_bytes(start, pool) for pool in pools(self._machine, self._limits)}
        for variant in levers.longer_contexts(self._header, self._limits, self._wish, best.variant):
            settings = replace(best.settings, context_tokens=variant.settings.context_tokens)
            longer = self._measured(variant, settings, best.layout)
            added = {
                pool.name: hard_bytes(longer.bill, pool) - hard_bytes(start, pool)
                for pool in pools(self._machine, self._limits)
            }
            if longer.memory_map != best.memory_map or longer.streams or not self._reads_in_time(longer):
                break
            chosen_plain = self._wish.flash_attention is None and not settings.flash_attention
            if chosen_plain and self._plain_bytes(settings) > self._most_plain_bytes:
                break
            if longer.missing_bytes or any(added[name] > most_growth_bytes(name, left[name]) for name in added):
                break
            best = longer
        return best


def typical_seconds(speed: SpeedForecast) -> float:
    """How long a typical answer takes."""
    return _NEW_TOKENS / max(speed.prefill.likely, 1e-9) + _ANSWER_TOKENS / max(speed.decode.likely, 1e-9)
