"""How a model would run on a computer, told by the quantization to take, with as few plans as the choice needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.catalogue_values import CatalogueFit
from app.planning.models import PlanModel
from app.words import error_body
from inference.errors import ModelRefused
from inference.planning.budget import Pool, pools
from inference.planning.quantizations import Quantization, choose_quantization, next_to_plan
from inference.planning.values import Machine, PlanAnswer
from models_catalog.errors import CatalogError

if TYPE_CHECKING:
    from app.planning.finder import Found

# Free memory is never twice the same: fits are told again when what may be taken differs by more than this part.
_SAME_WITHIN = 0.03

_SHORT_OF_MEMORY = ("larger_than_memory", "does_not_fit")

MakePlan = Callable[[PlanModel, Machine], Awaitable[PlanAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A quantization that may lie in memory."""

    model: PlanModel

    @property
    def name(self) -> str:
        return self.model.quantization

    @property
    def weight_bytes(self) -> int:
        return self.model.header.weight_bytes

    def with_plan(self, answer: PlanAnswer) -> Quantization:
        return Quantization(name=self.name, weight_bytes=self.weight_bytes, answer=answer)


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
    kept = [model for model in models if model.header.weight_bytes <= _room_bytes(machine)] or models[:1]
    candidates = [_Candidate(model=model) for model in kept]
    planned: dict[int, Quantization] = {}
    while (index := next_to_plan(candidates, planned)) is not None:
        try:
            planned[index] = candidates[index].with_plan(await make_plan(candidates[index].model, machine))
        except (ModelRefused, CatalogError) as refused:
            error = refused
            del candidates[index]
            planned = {at - (at > index): one for at, one in planned.items()}
    if not planned:
        assert error is not None
        return CatalogueFit(model=model_id, error=error_body(error))
    best = _best(planned)
    return _fit(model_id, candidates[best].model, planned[best].answer, machine)


def _best(planned: Mapping[int, Quantization]) -> int:
    indices = list(planned)
    chosen = choose_quantization([planned[index] for index in indices])
    return min(planned, key=lambda index: planned[index].weight_bytes) if chosen is None else indices[chosen]


def _room_bytes(machine: Machine) -> int:
    """Weights beyond this never lie in memory: what is over on the cards is over in the free main memory."""
    return machine.host.free_bytes + sum(
        device.budget_bytes for device in machine.devices if not device.shares_host_memory
    )


def _fit(model_id: str, model: PlanModel, answer: PlanAnswer, machine: Machine) -> CatalogueFit:
    fullest, needed_bytes = _fullest(answer, machine)
    speed = answer.speed.decode
    return CatalogueFit(
        model=model_id,
        quantization=model.quantization,
        size_bytes=model.file_bytes,
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
