"""From the planner's answer to what faces are shown. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.plan_values import BillLine, PlanAdvice, PlanDevice, PlanReason, PlanSpeed, PlanView
from inference.planning.values import HOST, DeviceBytes, Machine, PlanAnswer, Range
from models_catalog.gguf.header import GgufHeader


def plan_view(answer: PlanAnswer, header: GgufHeader, machine: Machine, *, model: str, file_bytes: int) -> PlanView:
    """Everything about the plan, in the faces' words. model: the name that is shown."""
    plan, speed, placement = answer.plan, answer.speed, answer.plan.placement
    return PlanView(
        model=model,
        quantization=header.quantization,
        file_bytes=file_bytes,
        basis=answer.bill.basis,
        verdict=answer.verdict,
        devices=tuple(map(_device, answer.bill.devices)),
        total_bytes=answer.bill.total_bytes,
        bill=(
            *(BillLine(kind=term.kind, device=term.device, bytes=term.bytes) for term in answer.bill.terms),
            *_not_ours(answer.bill.devices, machine),
        ),
        context=plan.context_tokens // plan.parallel,
        trained_context=header.trained_context_tokens or 0,
        parallel=plan.parallel,
        sequences=plan.sequences,
        ubatch=plan.batch_tokens,
        batch=plan.batch_tokens,
        kv_type_k=plan.kv_type_k,
        kv_type_v=plan.kv_type_v,
        flash_attention=plan.flash_attention,
        swa_full=plan.swa_full,
        outputs_max=plan.outputs_max or plan.sequences,
        gpu_layers=placement.gpu_layers,
        layers=header.layers or 0,
        tensor_split=placement.tensor_split,
        overrides=tuple((override.pattern, override.device) for override in placement.overrides),
        load_mode="mmap" if plan.memory_map else "none",
        threads=plan.decode_threads,
        batch_threads=plan.batch_threads,
        speed=PlanSpeed(
            decode=_range(speed.decode),
            prefill=_range(speed.prefill),
            depth_tokens=speed.depth_tokens,
            origin=speed.origin,
            slowest=speed.slowest,
        ),
        reasons=tuple(
            PlanReason(field=choice.field, value=choice.value, chosen_by=choice.chosen_by, reason=choice.reason)
            for choice in plan.choices
        ),
        advice=tuple(
            PlanAdvice(
                kind=advice.kind, fields=dict(advice.fields), saves_bytes=advice.saves_bytes, makes_fit=advice.makes_fit
            )
            for advice in answer.advice
        ),
    )


def _not_ours(bars: tuple[DeviceBytes, ...], machine: Machine) -> Iterator[BillLine]:
    """What other programs hold, and what the plan leaves free."""
    capacities = {HOST: machine.host.total_bytes} | {device.name: device.total_bytes for device in machine.devices}
    for bar in bars:
        yield BillLine(kind="others", device=bar.name, bytes=max(0, capacities[bar.name] - bar.free_bytes))
        yield BillLine(kind="reserve", device=bar.name, bytes=max(0, bar.free_bytes - bar.budget_bytes))


def _device(bar: DeviceBytes) -> PlanDevice:
    return PlanDevice(
        name=bar.name,
        description=bar.description,
        weights_bytes=bar.weights_bytes,
        state_bytes=bar.state_bytes,
        compute_bytes=bar.compute_bytes,
        other_bytes=bar.other_bytes,
        soft_bytes=bar.soft_bytes,
        budget_bytes=bar.budget_bytes,
        free_bytes=bar.free_bytes,
        total_bytes=bar.total_bytes,
    )


def _range(values: Range) -> tuple[float, float, float]:
    return values.low, values.likely, values.high
