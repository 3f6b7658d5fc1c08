"""How a model would run on a computer, told by the quantization to take, with as few plans as the choice needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.catalogue_values import CatalogueFit
from app.planning.models import PlanModel
from app.words import error_body
from inference.errors import ModelRefused
from inference.planning.budget import Pool, pools
from inference.planning.quantizations import Quantization, bearable, choose_quantization, first_to_plan
from inference.planning.values import Machine, PlanAnswer
from models_catalog.errors import CatalogError

if TYPE_CHECKING:
    from app.planning.finder import Found

# Free memory is never twice the same: fits are told again when what may be taken differs by more than this part.
_SAME_WITHIN = 0.03

_SHORT_OF_MEMORY = ("larger_than_memory", "does_not_fit")

MakePlan = Callable[[PlanModel, Machine], Awaitable[PlanAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A quantization and its plan."""

    model: PlanModel
    answer: PlanAnswer


async def find_fit(model_id: str, found: Sequence[Found], machine: Machine, make_plan: MakePlan) -> CatalogueFit:
    """The fit of the quantization that `Planner` would choose; where none can be kept in memory, of the smallest.

    found: at least one, smallest first. What cannot be planned is told as the fit's error.
    """
    models: list[PlanModel] = []
    error: Exception | None = None
    for one in found:
        try:
            models.append(await one.read())
        except CatalogError as refused:
            error = refused
    planned, refused_plan = await _planned(models, machine, make_plan)
    error = refused_plan or error
    best = _best(planned)
    if best is None:
        assert error is not None
        return CatalogueFit(model=model_id, error=error_body(error))
    return _fit(model_id, best, machine)


async def _planned(
    models: Sequence[PlanModel], machine: Machine, make_plan: MakePlan
) -> tuple[list[_Planned], Exception | None]:
    """Those whose plans decide, and the last refusal."""
    planned: list[_Planned] = []
    error: Exception | None = None
    kept = [model for model in models if model.header.weight_bytes <= _room_bytes(machine)]
    deciding = set(first_to_plan([model.quantization for model in kept]))
    first = [model for index, model in enumerate(kept) if index in deciding]
    rest = [model for index, model in enumerate(kept) if index not in deciding]
    for group in (first, rest) if kept else (models[:1],):
        for model in group:
            try:
                planned.append(_Planned(model=model, answer=await make_plan(model, machine)))
            except (ModelRefused, CatalogError) as refused:
                error = refused
        if any(bearable(_quantization(one)) for one in planned):
            break
    return planned, error


def _best(planned: Sequence[_Planned]) -> _Planned | None:
    chosen = choose_quantization([_quantization(one) for one in planned])
    if chosen is not None:
        return planned[chosen]
    return min(planned, key=lambda one: one.model.header.weight_bytes, default=None)


def _quantization(one: _Planned) -> Quantization:
    return Quantization(name=one.model.quantization, weight_bytes=one.model.header.weight_bytes, answer=one.answer)


def _room_bytes(machine: Machine) -> int:
    """Weights beyond this never lie in memory: what is over on the cards is over in the free main memory."""
    return machine.host.free_bytes + sum(
        device.budget_bytes for device in machine.devices if not device.shares_host_memory
    )


def _fit(model_id: str, best: _Planned, machine: Machine) -> CatalogueFit:
    answer = best.answer
    fullest, needed_bytes = _fullest(answer, machine)
    speed = answer.speed.decode
    return CatalogueFit(
        model=model_id,
        quantization=best.model.quantization,
        size_bytes=best.model.file_bytes,
        verdict=answer.verdict,
        needed_bytes=needed_bytes,
        budget_bytes=fullest.budget_bytes,
        short_bytes=max(0, needed_bytes - fullest.budget_bytes) if answer.verdict in _SHORT_OF_MEMORY else 0,
        decode=(speed.low, speed.likely, speed.high),
        context=answer.plan.context_tokens // answer.plan.parallel,
    )


def _fullest(answer: PlanAnswer, machine: Machine) -> tuple[Pool, int]:
    """The pool of memory that is used up most, and what the plan takes of it, weights in mapped files included."""
    used = [
        (pool, sum(bar.total_bytes for bar in answer.bill.devices if bar.name in pool.members))
        for pool in pools(machine)
    ]
    return max(used, key=lambda one: one[1] / one[0].budget_bytes if one[0].budget_bytes else float(one[1]))


def alike(one: Machine, other: Machine) -> bool:
    """Whether plans for one hold for the other: the same parts at the same speeds, about as much memory to take."""
    if _without_memory(one) != _without_memory(other):
        return False
    return all(
        abs(mine.budget_bytes - theirs.budget_bytes) <= _SAME_WITHIN * max(mine.budget_bytes, theirs.budget_bytes)
        for mine, theirs in zip(pools(one), pools(other), strict=True)
    )


def _without_memory(machine: Machine) -> Machine:
    return replace(
        machine,
        host=replace(machine.host, free_bytes=0, reserve_bytes=0),
        devices=tuple(replace(device, free_bytes=0, reserve_bytes=0) for device in machine.devices),
        other_programs=(),
    )
