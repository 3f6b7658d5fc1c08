from __future__ import annotations

import asyncio

from models_catalog.download.speed_cap import SpeedCap


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_all_connections_together_stay_below_the_limit() -> None:
    clock = Clock()
    cap = SpeedCap(1000, clock=clock)
    total = 0
    while clock.now < 200:
        total += 300
        clock.now += cap.owe(100) and cap.owe(200)
    assert 98_000 <= total <= 101_000


def test_no_limit_costs_nothing_and_a_new_limit_forgets_the_old_debt() -> None:
    clock = Clock()
    cap = SpeedCap(clock=clock)
    assert cap.owe(10**12) == 0
    cap.set(10)
    assert cap.owe(1000) > 99
    cap.set(1000)
    assert cap.owe(100) <= 0.1


async def test_waiting_ends_when_the_limit_is_lifted() -> None:
    cap = SpeedCap(1)
    waiting = asyncio.create_task(cap.take(10_000))
    await asyncio.sleep(0)
    cap.set(0)
    await asyncio.wait_for(waiting, 2)
