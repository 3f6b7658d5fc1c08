"""A download's event loop in a thread of its own, which can be stopped at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

_TICK_SECONDS = 0.05


def run_watched(main: Coroutine[Any, Any, None], tick: Callable[[], None]) -> None:
    """Runs `main` in a loop of its own; `tick` is called 20 times a second, and whatever it raises stops everything.

    Not asyncio.run: that would wait for name look-ups which hang, long after the user cancelled.
    """
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_watched(main, tick))
    finally:
        loop.run_until_complete(_end_others())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _end_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _watched(main: Coroutine[Any, Any, None], tick: Callable[[], None]) -> None:
    task = asyncio.ensure_future(main)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=_TICK_SECONDS)
            if not task.done():
                tick()
        task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
