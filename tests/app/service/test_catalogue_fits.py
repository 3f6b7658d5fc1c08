"""Fits in the background: told as events, remembered while they hold, left undone when nobody wants them any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.catalogue_values import CatalogueFit
from app.plan_values import PlanWish
from app.planning.desk import PlanDesk
from app.planning.finder import Found
from app.planning.models import PlanModel, from_plan_data
from app.service.catalogue_fits import CatalogueFits, Shape
from app.service.events import EventBus
from app.values import Event
from inference.planning.values import Machine, PlanAnswer
from models_catalog.plan_library import published_plan_data
from tests.inference.planning.bills import answer, machine


def shape(model: str, key: str = "") -> Shape:
    async def read() -> PlanModel:
        head = published_plan_data("qwen3-0.6b", "Q4_K_M")
        assert head is not None
        return from_plan_data(head, path=key or model, name=model, quantization="Q4_K_M")

    return Shape(model=model, key=key or model, found=(Found(quantization="Q4_K_M", size_bytes=None, read=read),))


class Desk(PlanDesk):
    """Plans what the test lets it plan, for a computer that the test describes."""

    def __init__(self) -> None:
        super().__init__(models_folder=Path(), planning_folder=Path())
        self.computer = machine()
        self.planned: list[str] = []
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None

    async def machine(self, wish: PlanWish | None = None, **_: object) -> Machine:
        return self.computer

    async def plan_in_background(self, model: PlanModel, machine: Machine) -> PlanAnswer:
        self.planned.append(model.path)
        self.begun.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return answer("fits", of=machine)


class Told:
    """The fits that were published."""

    def __init__(self, bus: EventBus) -> None:
        self._frames = bus.subscribe(None, 60)

    async def next(self) -> CatalogueFit:
        async with asyncio.timeout(5):
            async for frame in self._frames:
                if frame.startswith(b"id:"):
                    event = msgspec.json.decode(frame.partition(b"data: ")[2], type=Event)
                    assert event.kind == "catalogue_fit"
                    return msgspec.convert(event.data, CatalogueFit)
        raise AssertionError("the bus was closed")

    async def open(self) -> None:
        await anext(self._frames)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
async def told(bus: EventBus) -> Told:
    told = Told(bus)
    await told.open()
    return told


@pytest.fixture
async def fits(desk: Desk, bus: EventBus) -> AsyncIterator[CatalogueFits]:
    fits = CatalogueFits(desk=desk, events=bus)
    yield fits
    await fits.close()


async def test_models_of_one_shape_are_planned_once_and_known_then(fits: CatalogueFits, desk: Desk, told: Told) -> None:
    assert await fits.ask([shape("a", "same"), shape("b", "same")]) == []
    first, second = await told.next(), await told.next()
    assert (first.model, second.model) == ("a", "b") and first == replace(second, model="a")
    assert desk.planned == ["same"]
    assert await fits.ask([shape("c", "same")]) == [replace(first, model="c")]


async def test_a_fit_is_told_again_when_the_computer_has_other_memory(
    fits: CatalogueFits, desk: Desk, told: Told
) -> None:
    await fits.ask([shape("a")])
    await told.next()
    desk.computer = machine(free_gib=15.9)
    assert len(await fits.ask([shape("a")])) == 1
    desk.computer = machine(free_gib=9)
    assert await fits.ask([shape("a")]) == []
    assert (await told.next()).budget_bytes == desk.computer.host.budget_bytes


async def test_what_nobody_wants_any_more_is_not_planned_and_the_newest_comes_first(
    fits: CatalogueFits, desk: Desk, told: Told
) -> None:
    desk.gate.clear()
    await fits.ask([shape("a"), shape("b"), shape("c")])
    await desk.begun.wait()
    await fits.ask([shape("d"), shape("c")])
    desk.gate.set()
    assert [(await told.next()).model for _ in range(2)] == ["d", "c"]
    assert desk.planned == ["a", "d", "c"]
    # It was begun, and is known now though nobody was told.
    assert [fit.model for fit in await fits.ask([shape("a")])] == ["a"]


async def test_nothing_is_begun_while_somebody_waits_for_a_plan(fits: CatalogueFits, desk: Desk, told: Told) -> None:
    with desk.awaited():
        await fits.ask([shape("a")])
        asking = asyncio.create_task(told.next())
        for _ in range(50):
            await asyncio.sleep(0)
        assert desk.planned == []
        await fits.ask([shape("b")])
    assert (await asking).model == "b"
    assert desk.planned == ["b"]


async def test_a_fault_is_told_and_not_remembered(fits: CatalogueFits, desk: Desk, told: Told) -> None:
    desk.fault = RuntimeError("odd")
    await fits.ask([shape("a")])
    failed = await told.next()
    assert failed.error is not None and failed.error.code == "UnexpectedError"
    desk.fault = None
    assert await fits.ask([shape("a")]) == []
    assert (await told.next()).error is None


async def test_closing_ends_what_is_being_planned(fits: CatalogueFits, desk: Desk) -> None:
    desk.gate.clear()
    await fits.ask([shape("a")])
    await desk.begun.wait()
    async with asyncio.timeout(5):
        await fits.close()
