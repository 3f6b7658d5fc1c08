"""Looks at many things at once and waits for none of them longer than one limit."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look brought."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """What a look ended with."""

    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A look that had not come back at the limit; it is left alone, and its result is never seen."""


def gather(looks: Mapping[str, Callable[[], Any]], limit_seconds: float) -> dict[str, Found | Failed | Late]:
    """Run all looks, each in a thread of its own, and return after `limit_seconds` at the latest.

    The threads are daemons: a read that hangs in the kernel (a dead network disk, a broken driver) holds up neither
    the caller nor the end of the program.
    """
    done: queue.SimpleQueue[tuple[str, Found | Failed]] = queue.SimpleQueue()

    def run(name: str, look: Callable[[], Any]) -> None:
        try:
            done.put((name, Found(value=look())))
        except Exception as error:  # whatever a strange system does, the others are still looked at
            done.put((name, Failed(error=error)))

    for name, look in looks.items():
        threading.Thread(target=run, args=(name, look), daemon=True, name=f"liangli-look-{name}").start()
    results: dict[str, Found | Failed | Late] = {name: Late() for name in looks}
    deadline = time.monotonic() + limit_seconds
    for _ in looks:
        try:
            name, result = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        results[name] = result
    return results
