"""Looks that succeed, fail and never come back."""

from __future__ import annotations

import threading

from hardware_probe.gather import Failed, Found, Late, gather


def test_each_look_has_its_own_end() -> None:
    never = threading.Event()

    def broken() -> None:
        raise ZeroDivisionError

    results = gather({"good": lambda: 7, "broken": broken, "hanging": never.wait}, 0.2)
    never.set()
    assert results["good"] == Found(value=7)
    assert isinstance(results["broken"], Failed)
    assert results["hanging"] == Late()


def test_looks_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3)
    results = gather({name: lambda: meeting.wait(5) >= 0 for name in ("a", "b", "c")}, 5)
    assert set(results.values()) == {Found(value=True)}


def test_no_time_at_all() -> None:
    assert gather({"slow": threading.Event().wait}, -1.0) == {"slow": Late()}
    assert gather({}, 1.0) == {}
