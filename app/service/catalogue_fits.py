"""How models of the catalogue would run here: worked out beside everything else, and remembered while it holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.catalogue_values import CatalogueFit
from app.planning.desk import PlanDesk
from app.planning.fits import alike, find_fit
from app.planning.models import PlanModel
from app.service.events import EventBus
from app.words import error_body
from inference.planning.values import Machine, PlanAnswer

if TYPE_CHECKING:
    from app.planning.finder import Found

log = logging.getLogger(__name__)
_MOST_KEPT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A model whose fit can be told without the network. key: the same for models that are planned by the same data.

    found: its quantizations, the smallest first.
    """

    model: str
    key: str
    found: tuple[Found, ...]


class CatalogueFits:
    """For the service's loop only."""

    def __init__(self, *, desk: PlanDesk, events: EventBus) -> None:
        self._desk, self._events = desk, events
        self._kept: dict[str, tuple[Machine, CatalogueFit]] = {}
        # By key, in the order of need: the models to be told of.
        self._waiting: dict[str, list[Shape]] = {}
        self._task: asyncio.Task[None] | None = None

    async def ask(self, models: Sequence[Shape]) -> list[CatalogueFit]:
        """What is known and holds for this computer as it is now; the others follow as events, in this order.

        What was asked for before, and is not named now, is no longer worked on.
        """
        machine = await self._desk.machine()
        known: list[CatalogueFit] = []
        waiting: dict[str, list[Shape]] = {}
        for one in models:
            kept = self._kept.get(one.key)
            if kept is not None and alike(kept[0], machine):
                known.append(replace(kept[1], model=one.model))
            else:
                waiting.setdefault(one.key, []).append(one)
        self._waiting = waiting
        if waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(), name="catalogue fits")
        return known

    async def close(self) -> None:
        """Stop working."""
        self._waiting = {}
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            key, models = next(iter(self._waiting.items()))
            machine = await self._desk.machine()
            fit = await self._fit(models[0], machine)
            if fit is None:
                continue
            if fit.error is None:
                self._keep(key, machine, fit)
            # Others of this shape may have been asked for meanwhile.
            for one in self._waiting.pop(key, ()):
                self._events.publish("catalogue_fit", replace(fit, model=one.model))

    async def _fit(self, wanted: Shape, machine: Machine) -> CatalogueFit | None:
        """None when nobody wants to know it any more."""
        try:
            return await find_fit(wanted.model, wanted.found, machine, lambda *of: self._plan(wanted.key, *of))
        except _Unwanted:
            return None
        except Exception as error:
            log.exception("no fit of %s", wanted.model)
            return CatalogueFit(model=wanted.model, error=error_body(error))

    async def _plan(self, key: str, model: PlanModel, machine: Machine) -> PlanAnswer:
        await self._desk.nobody_waits()
        if key not in self._waiting:
            raise _Unwanted
        return await self._desk.plan_in_background(model, machine)

    def _keep(self, key: str, machine: Machine, fit: CatalogueFit) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = machine, fit


class _Unwanted(Exception):
    """Nobody wants to know this fit any more."""
