"""A child that waits takes the next load; one that nobody needs does not stay."""

from __future__ import annotations

import asyncio

import psutil

from inference.worker.client import Engine
from inference.worker.starter import EngineStarter
from tests.inference.worker.test_client import PLAN, command, nothing_stays, pytestmark

__all__ = ["nothing_stays", "pytestmark"]


def children() -> list[int]:
    return [child.pid for child in psutil.Process().children()]


async def test_the_child_that_waits_takes_the_load() -> None:
    start = EngineStarter(command=command("good"))
    start.prepare()
    start.prepare()
    waiting = children()
    engine = await start(PLAN)
    try:
        assert [engine.pid] == waiting
        assert engine.facts.architecture == "fake"
        another: Engine = await start(PLAN)
        assert another.pid != engine.pid
        await another.close()
    finally:
        await engine.close()
    await start.close()


async def test_a_child_that_died_while_it_waited_is_replaced() -> None:
    start = EngineStarter(command=command("good"))
    start.prepare()
    (waiting,) = psutil.Process().children()
    waiting.kill()
    assert start._waiting is not None
    await start._waiting.exited
    engine = await start(PLAN)
    assert engine.pid != waiting.pid
    await engine.close()


async def test_a_child_that_nobody_needs_ends() -> None:
    start = EngineStarter(command=command("good"), idle_seconds=0.01)
    start.prepare()
    assert start._waiting is not None
    async with asyncio.timeout(10):
        await start._waiting.exited
    assert start._waiting is None
    await start.close()


async def test_closing_ends_the_child_that_waits() -> None:
    start = EngineStarter(command=command("good"))
    start.prepare()
    await start.close()
    assert children() == []
