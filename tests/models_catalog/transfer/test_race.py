from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from models_catalog.sources.byte_source import WholeFile
from models_catalog.sources.faults import SourceFailed
from models_catalog.transfer.race import Race, Runner


def runner(name: str, speed: float, *, resumable: bool = True) -> Runner:
    return Runner(source=WholeFile(name=name, url="x"), bytes_per_second=speed, resumable=resumable)


def at_once(found: Runner) -> Callable[[], Awaitable[Runner]]:
    async def trial() -> Runner:
        return found

    return trial


async def names(race: Race) -> list[str]:
    return [found.source.name async for found in race.runners()]


async def test_the_fastest_comes_first_and_one_that_cannot_resume_last() -> None:
    trials = {
        "slow": at_once(runner("slow", 1)),
        "whole": at_once(runner("whole", 99, resumable=False)),
        "fast": at_once(runner("fast", 9)),
    }
    async with Race(trials, grace_seconds=5) as race:
        assert await names(race) == ["fast", "slow", "whole"]


async def test_faults_are_kept_by_name() -> None:
    async def failing() -> Runner:
        raise SourceFailed("no")

    async with Race({"bad": failing, "good": at_once(runner("good", 1))}, grace_seconds=5) as race:
        assert await names(race) == ["good"]
        assert str(race.faults["bad"]) == "no"


async def test_a_late_one_is_not_waited_for_but_comes_when_the_others_are_used_up() -> None:
    gate = asyncio.Event()

    async def late() -> Runner:
        await gate.wait()
        return runner("late", 99)

    async with Race({"late": late, "first": at_once(runner("first", 1))}, grace_seconds=0.01) as race:
        order = race.runners()
        assert (await anext(order)).source.name == "first"
        gate.set()
        assert (await anext(order)).source.name == "late"
        await order.aclose()


async def test_leaving_stops_what_still_runs() -> None:
    stopped = asyncio.Event()

    async def endless() -> Runner:
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            stopped.set()

    async with Race({"endless": endless, "first": at_once(runner("first", 1))}, grace_seconds=0) as race:
        async for _ in race.runners():
            break
    assert stopped.is_set()


async def test_no_sources_no_runners() -> None:
    async with Race({}, grace_seconds=0) as race:
        assert await names(race) == []
