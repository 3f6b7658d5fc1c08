"""What to lower after a load or an answer ran out of memory: one rung at a time, mildest first.

Micro-batch (512, 256, 128) → KV cache at 8 bits → less on the device that was short → half the context (not below
1,024 tokens) → nothing left: a smaller quantization is to be offered. For the processor the order differs in one point:
the 8-bit cache comes last, since quantized keys and values make its prefill three times slower. Numbers that the user
fixed stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from inference.planning.values import HOST, Limits
from inference.values import LoadPlan

_BATCHES = (512, 256, 128)
SMALLEST_CONTEXT_TOKENS = 1024
_CONTEXT_STEP = 256
_MIB = 1024**2
# What a device is trusted with less, at least; smaller steps would mean a chain of failing loads.
_LEAST_LESSON_BYTES = 256 * _MIB
# Whoever lacks so much beyond its plan is not understood; lowering its budget further helps no more.
_LARGEST_LESSON_BYTES = 16 * 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationFailedAtLoad:
    """The engine could not allocate a buffer. device: whose memory, None when it did not tell."""

    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfMemoryInUse:
    """The engine ran out of memory while answering, or the system took it back."""

    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverBudget:
    """A loaded model holds more than its device's budget."""

    device: str
    by_bytes: int


Failure = AllocationFailedAtLoad | OutOfMemoryInUse | OverBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the user is told. kind: table of plan.toml's `ladder` ("batch", "kv", "device", "context"); fields: its
    placeholders, the numbers before and after."""

    kind: str
    fields: dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The limits to plan with next, and what changed."""

    limits: Limits
    changed: Change


def step_down(plan: LoadPlan, limits: Limits, failure: Failure) -> Step | None:
    """The next rung below `plan`, which was made under `limits` and failed; None when there is none.

    Asking again and again with what it answers comes to an end, whatever the plans are that the limits lead to.
    """
    devices = _short_devices(plan, failure)
    rungs: list[Callable[[], Step | None]] = [lambda: _smaller_batch(plan, limits)]
    if plan.placement.devices:
        rungs.append(lambda: _smaller_cache(plan, limits))
    rungs += [
        lambda: _less_on_devices(plan, limits, devices, failure),
        lambda: _shorter_context(plan, limits),
        lambda: _smaller_cache(plan, limits),
    ]
    return next((step for rung in rungs if (step := rung()) is not None), None)


def _fixed(plan: LoadPlan, *fields: str) -> bool:
    return any(choice.field in fields and choice.chosen_by == "user" for choice in plan.choices)


def _short_devices(plan: LoadPlan, failure: Failure) -> tuple[str, ...]:
    """Whose budget was wrong: the named device, else all that the plan puts weights on."""
    if failure.device is not None:
        return (failure.device,)
    return plan.placement.devices or (HOST,)


def _smaller_batch(plan: LoadPlan, limits: Limits) -> Step | None:
    now = min(plan.batch_tokens, limits.batch_tokens or plan.batch_tokens)
    after = next((batch for batch in _BATCHES if batch < now), None)
    if after is None or _fixed(plan, "batch_tokens"):
        return None
    changed = Change(kind="batch", fields={"before_tokens": now, "after_tokens": after})
    return Step(limits=replace(limits, batch_tokens=after), changed=changed)


def _smaller_cache(plan: LoadPlan, limits: Limits) -> Step | None:
    already = limits.kv_type not in (None, "f16", "bf16") or plan.kv_type_k not in ("f16", "bf16")
    # Quantized values need flash attention, which the planner may turn on unless the user turned it off.
    without_flash = not plan.flash_attention and _fixed(plan, "flash_attention")
    if already or without_flash or _fixed(plan, "kv_type_k", "kv_type_v"):
        return None
    changed = Change(kind="kv", fields={"before": plan.kv_type_k, "after": "q8_0"})
    return Step(limits=replace(limits, kv_type="q8_0"), changed=changed)


def _less_on_devices(plan: LoadPlan, limits: Limits, devices: tuple[str, ...], failure: Failure) -> Step | None:
    """A lower budget sends layers of a device to the processor; on the host it makes weights be mapped, not copied."""
    lesson = _LEAST_LESSON_BYTES
    if isinstance(failure, OverBudget):
        lesson = max(lesson, failure.by_bytes)
    teachable = []
    for device in devices:
        movable = plan.placement.gpu_layers > 0 and not _fixed(plan, "gpu_layers")
        if device == HOST:
            movable = not plan.memory_map and not _fixed(plan, "memory_map")
        if movable and limits.device_bytes.get(device, 0) < _LARGEST_LESSON_BYTES:
            teachable.append(device)
    if not teachable:
        return None
    taught = limits.device_bytes | {device: limits.device_bytes.get(device, 0) + lesson for device in teachable}
    kind = "host" if teachable == [HOST] else "device"
    changed = Change(kind=kind, fields={"device": teachable[0], "less_bytes": lesson})
    return Step(limits=replace(limits, device_bytes=taught), changed=changed)


def _shorter_context(plan: LoadPlan, limits: Limits) -> Step | None:
    """Numbers are for one conversation, as in a wish."""
    parallel = max(1, plan.parallel)
    now = plan.context_tokens // parallel
    if limits.context_tokens is not None:
        now = min(now, limits.context_tokens)
    after = max(SMALLEST_CONTEXT_TOKENS, now // 2 // _CONTEXT_STEP * _CONTEXT_STEP)
    if after >= now or _fixed(plan, "context_tokens"):
        return None
    changed = Change(kind="context", fields={"before_tokens": now, "after_tokens": after})
    return Step(limits=replace(limits, context_tokens=after), changed=changed)
