"""Starts engines as they were chosen: after cards were tried, and once more with the plainest variant if need be."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.engine_choice.choice import EngineChoice
from app.service.kept_settings import KeptSettings
from app.settings import Settings
from inference.errors import EngineDied, EngineDiedLoading
from inference.values import LoadPlan
from inference.worker.client import Engine
from inference.worker.death import is_illegal
from inference.worker.messages import MemoryReport
from inference.worker.starter import EngineStarter

log = logging.getLogger(__name__)

# Ends that a driver may have brought about.
_DOUBTFUL = frozenset({"segfault", "aborted", "hung"})


class ChosenEngine:
    """Called like `start_engine`. For the thread of the service's loop; applies the choice when made."""

    def __init__(self, starter: EngineStarter, choice: EngineChoice, settings: Settings) -> None:
        self.choice = choice
        self._starter = starter
        self._changed: Callable[[], Awaitable[None]] = _nothing
        self._trying: asyncio.Task[None] | None = None
        self._watching: set[asyncio.Task[None]] = set()
        choice.apply(settings)

    def prepare(self) -> None:
        """Have a child ready for the next load, or have the cards tried first if that has to be."""
        if self.choice.must_try:
            self._try_soon()
        else:
            self._starter.prepare()

    def follow(self, settings: KeptSettings, changed: Callable[[], Awaitable[None]]) -> None:
        """Choose anew whenever the settings change. changed: awaited when children are to be started differently."""
        self._changed = changed

        async def on_settings() -> None:
            if self.choice.apply(settings.now) or self.choice.must_try:
                log.info("another engine or other back ends were chosen")
                self._starter.let_go()
                await changed()

        settings.follow(on_settings)

    async def tried(self) -> None:
        """Returns when it is known whether cards can be used. Raises nothing."""
        if self.choice.must_try or self._trying is not None:
            await asyncio.shield(self._try_soon())

    async def __call__(
        self,
        plan: LoadPlan,
        *,
        on_progress: Callable[[float], None] | None = None,
        on_memory: Callable[[MemoryReport], None] | None = None,
    ) -> Engine:
        """See `start_engine`."""
        await self.tried()
        try:
            engine = await self._starter(plan, on_progress=on_progress, on_memory=on_memory)
        except EngineDiedLoading as death:
            if not await self._plainer(death):
                if death.cause in _DOUBTFUL and plan.placement.devices:
                    self.choice.doubt_cards()
                    await self._changed()
                raise
            engine = await self._starter(plan, on_progress=on_progress, on_memory=on_memory)
        watcher = asyncio.create_task(self._watch(engine), name=f"watch instructions {engine.pid}")
        self._watching.add(watcher)
        watcher.add_done_callback(self._watching.discard)
        return engine

    async def close(self) -> None:
        """End what still waits."""
        for task in (*self._watching, *filter(None, (self._trying,))):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _try_soon(self) -> asyncio.Task[None]:
        if self._trying is None:
            self._trying = asyncio.create_task(self._try(), name="try cards")
        return self._trying

    async def _try(self) -> None:
        try:
            await _in_thread(self.choice.try_cards)
        finally:
            self._trying = None
        # What was started meanwhile knows no cards.
        self._starter.let_go()
        await self._changed()

    async def _watch(self, engine: Engine) -> None:
        """The first step may hit what the load did not; the slot starts a successor, which takes the plainest."""
        await self._plainer(await engine.wait_dead())

    async def _plainer(self, death: EngineDied | EngineDiedLoading) -> bool:
        if not is_illegal(death) or not self.choice.processor_refused():
            return False
        self._starter.let_go()
        await self._changed()
        return True


async def _in_thread(work: Callable[[], None]) -> None:
    """In a thread that the end of the service does not wait for: a driver may keep it for long."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        work()
        with suppress(RuntimeError):  # the service has ended
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, daemon=True, name="liangli-try-cards").start()
    await done.wait()


async def _nothing() -> None:
    return
