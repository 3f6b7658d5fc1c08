from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from app.service import events as module
from app.service.events import EventBus


async def first(bus: EventBus, count: int, after: int | None = None) -> list[dict[str, Any]]:
    """The first events of a subscription, which has begun when the first publication is awaited."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(5), aclosing(bus.subscribe(after, heartbeat_seconds=60)) as frames:
        async for frame in frames:
            if b"data: " in frame:
                found.append(json.loads(frame.split(b"data: ")[1]))
            if len(found) == count:
                break
    return found


async def subscribed(bus: EventBus, count: int) -> asyncio.Task[list[dict[str, Any]]]:
    task = asyncio.create_task(first(bus, count))
    await asyncio.sleep(0)
    return task


async def test_every_subscriber_gets_every_event_in_order() -> None:
    bus = EventBus()
    tasks = [await subscribed(bus, 3) for _ in range(2)]
    for number in range(3):
        bus.publish("models", {"n": number})
    for found in await asyncio.gather(*tasks):
        assert [event["data"]["n"] for event in found] == [0, 1, 2]
        numbers = [event["number"] for event in found]
        assert numbers == list(range(numbers[0], numbers[0] + 3))


async def test_what_was_missed_is_replayed() -> None:
    bus = EventBus()
    task = await subscribed(bus, 1)
    bus.publish("models", {"n": 0})
    (seen,) = await task
    bus.publish("models", {"n": 1})
    bus.publish("models", {"n": 2})
    assert [event["data"]["n"] for event in await first(bus, 2, after=seen["number"])] == [1, 2]


async def test_what_cannot_be_replayed_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_EVENTS", 2)
    bus = EventBus()
    for number in range(4):
        bus.publish("models", {"n": number})
    (newest,) = await first(bus, 1, after=0)
    assert newest["kind"] == "gap"
    replayed = await first(bus, 2, after=newest["number"] - 2)
    assert [event["data"]["n"] for event in replayed] == [2, 3]
    assert (await first(bus, 1, after=newest["number"] - 3))[0]["kind"] == "gap"
    assert (await first(bus, 1, after=newest["number"] + 1))[0]["kind"] == "gap"  # of another service
    assert EventBus()._number > newest["number"] - 2


async def test_a_reader_that_falls_behind_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEHIND_BYTES", 1000)
    bus = EventBus()
    async with aclosing(bus.subscribe(None, heartbeat_seconds=60)) as frames:
        await anext(frames)
        for _ in range(100):
            bus.publish("models", {"text": "x" * 100})
        assert [frame async for frame in frames] == []
    assert not bus._readers


async def test_the_end_and_the_quiet() -> None:
    bus = EventBus()
    async with aclosing(bus.subscribe(None, heartbeat_seconds=0.01)) as frames:
        await anext(frames)
        assert await anext(frames) == b": quiet\n\n"
        bus.publish("bye", {})
        bus.close()
        assert b'"bye"' in await anext(frames)
        assert [frame async for frame in frames] == []
