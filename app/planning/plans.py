"""All quantizations of what the user names, planned for one computer, and which of them to take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from app.plan_values import PlannedQuantization, Plans, PlanWish
from app.planning.desk import PlanDesk
from app.planning.models import PlanModel
from app.planning.view import plan_view
from app.planning.wish import planner_wish
from app.words import error_body
from inference.errors import ModelRefused
from inference.planning.advice import Sibling
from inference.planning.quantizations import Quantization, choose_quantization
from inference.planning.values import Machine, PlanAnswer, Wish
from models_catalog.errors import CatalogError

if TYPE_CHECKING:
    from app.planning.finder import Finder, Found


class _Beside(TypedDict):
    """What is loaded beside a model."""

    projector: Path | None
    draft: PlanModel | None


class Planner:
    """Answers "what would MODEL take": finds it, plans every quantization of it. For the thread of one event loop."""

    def __init__(self, desk: PlanDesk, make_finder: Callable[[], Finder]) -> None:
        """make_finder: called when first needed; hubs and catalogue are memory that an idle service does without."""
        self._desk, self._make_finder = desk, make_finder
        self._finder: Finder | None = None

    async def plans(
        self, target: str, wish: PlanWish, *, with_advice: bool = True, on_wait: Callable[[], None] | None = None
    ) -> Plans:
        """Plans for a model of this computer, of the catalogue, a repository, an address or a file.

        on_wait is called once before something is read from the network. Raises WishInvalid, CardUnknown, and, when
        there is only one quantization, what refused it; of several the refused ones carry their error.
        """
        planned_wish = planner_wish(wish)
        machine, found = await asyncio.gather(
            self._desk.machine(wish, with_programs=with_advice), self._found(target, on_wait)
        )
        # The first one's header makes the others' cheap to read.
        models = [await _read(found[0]), *await asyncio.gather(*map(_read, found[1:]))]
        siblings = tuple(
            Sibling(quantization=model.quantization, weight_bytes=model.header.weight_bytes)
            for model in models
            if isinstance(model, PlanModel)
        )
        beside = await self._beside(wish)
        with self._desk.awaited():
            answers = [await self._answer(model, machine, planned_wish, beside) for model in models]
            if len(answers) == 1 and isinstance(answers[0], Exception):
                raise answers[0]
            best = _best(models, answers)
            shown = models[best or 0]
            if with_advice and isinstance(shown, PlanModel) and isinstance(answers[best or 0], PlanAnswer):
                # Looking for advice takes a dozen plans: only for the one that is shown.
                answers[best or 0] = await self._desk.plan(
                    shown,
                    machine,
                    planned_wish,
                    with_advice=True,
                    siblings=siblings if len(siblings) > 1 else (),
                    **beside,
                )
        return Plans(
            model=target,
            quantizations=tuple(_planned(*one, machine) for one in zip(found, models, answers, strict=True)),
            best=best,
            machine=_machine_lines(machine),
            hypothetical=machine.hypothetical,
            wish=wish,
            listing_age_seconds=None if found[0].listed_at is None else max(0.0, time.time() - found[0].listed_at),
        )

    async def _found(self, target: str, on_wait: Callable[[], None] | None) -> tuple[Found, ...]:
        self._finder = self._finder or self._make_finder()
        return await self._finder.find(target, on_wait)

    async def _beside(self, wish: PlanWish) -> _Beside:
        draft = await asyncio.to_thread(self._desk.models.read, Path(wish.draft)) if wish.draft else None
        return {"projector": Path(wish.projector) if wish.projector else None, "draft": draft}

    async def _answer(
        self, model: PlanModel | Exception, machine: Machine, wish: Wish, beside: _Beside
    ) -> PlanAnswer | Exception:
        if isinstance(model, Exception):
            return model
        try:
            return await self._desk.plan(model, machine, wish, **beside)
        except (ModelRefused, CatalogError) as error:
            return error


async def _read(found: Found) -> PlanModel | Exception:
    try:
        return await found.read()
    except CatalogError as error:
        return error


def _planned(
    found: Found, model: PlanModel | Exception, answer: PlanAnswer | Exception, machine: Machine
) -> PlannedQuantization:
    if isinstance(model, Exception) or isinstance(answer, Exception):
        error = answer if isinstance(answer, Exception) else model
        assert isinstance(error, Exception)
        return PlannedQuantization(
            name=found.quantization, size_bytes=found.size_bytes or 0, plan=None, error=error_body(error)
        )
    view = plan_view(answer, model.header, machine, model=model.name, file_bytes=model.file_bytes)
    return PlannedQuantization(name=model.quantization, size_bytes=model.file_bytes, plan=view)


def _best(models: Sequence[PlanModel | Exception], answers: Sequence[PlanAnswer | Exception]) -> int | None:
    known = [
        (index, Quantization(name=model.quantization, weight_bytes=model.header.weight_bytes, answer=answer))
        for index, (model, answer) in enumerate(zip(models, answers, strict=True))
        if isinstance(model, PlanModel) and isinstance(answer, PlanAnswer)
    ]
    chosen = choose_quantization([quantization for _, quantization in known])
    return None if chosen is None else known[chosen][0]


def _machine_lines(machine: Machine) -> tuple[str, ...]:
    cards = [f"{device.description} {_memory_size(device.total_bytes)}" for device in machine.devices]
    return (*cards, f"{machine.host.name} {_memory_size(machine.host.total_bytes)}")


def _memory_size(count: int) -> str:
    """As memory is sold: "8 GB" are 8 GiB."""
    return f"{count / 1024**3:.1f}".removesuffix(".0") + " GB"
