"""One model that is loaded, or was asked to be: its state, its engine child, and the child's successors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from app.service.engines.interface import RunningEngine
from app.values import EngineState, EngineStatus, ErrorBody, LocalModel
from app.words import error_body
from inference.errors import EngineDied
from inference.values import GenerationRequest
from inference.worker.messages import Admitted, Delta, Finished

log = logging.getLogger(__name__)

# So many deaths in so short a time: the next start would only die again.
BREAKER_DEATHS = 3
BREAKER_SECONDS = 60.0

LoadEngine = Callable[["Slot"], Awaitable[RunningEngine]]


class Slot:
    """Belongs to `Engines`; lives on the service's loop.

    load_engine makes room and starts a child; changed is called after every change that a status shows.
    """

    def __init__(
        self,
        model: LocalModel,
        context_tokens: int | None,
        load_engine: LoadEngine,
        changed: Callable[[EngineStatus], None],
    ) -> None:
        self.model = model
        self.context_tokens = context_tokens
        self.last_used = time.monotonic()
        self._load_engine = load_engine
        self._changed = changed
        self._state: EngineState = "loading"
        self._engine: RunningEngine | None = None
        self._loading: asyncio.Task[RunningEngine] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._fraction = 0.0
        self._requests = 0
        self._waiting = 0
        self._tokens_per_second = 0.0
        self._restarts = 0
        self._deaths: deque[float] = deque(maxlen=BREAKER_DEATHS)
        self._error: ErrorBody | None = None

    @property
    def requests(self) -> int:
        """Requests that are being answered or wait to be."""
        return self._requests

    @property
    def busy(self) -> bool:
        """It answers or is being loaded: not to be unloaded for another model's sake."""
        return self._requests > 0 or self._loading is not None

    @property
    def failed(self) -> bool:
        """The last attempt to load it went wrong; the next request tries again."""
        return self._state == "failed"

    @property
    def holds_memory(self) -> bool:
        """There is a child."""
        return self._engine is not None

    def status(self) -> EngineStatus:
        """As the faces see it."""
        engine = self._engine
        return EngineStatus(
            model=self.model.id,
            name=self.model.name,
            state=self._state,
            pid=engine.pid if engine else None,
            load_fraction=self._fraction,
            context_tokens=engine.facts.context_tokens if engine else self.context_tokens or 0,
            running_requests=self._requests - self._waiting,
            waiting_requests=self._waiting,
            tokens_per_second=self._tokens_per_second,
            memory_bytes=engine.memory_bytes() if engine else 0,
            restarts=self._restarts,
            error=self._error,
        )

    async def ready(self) -> RunningEngine:
        """The engine, loaded first if need be; a load goes on when the caller is cancelled. Raises what stopped it."""
        while self._engine is not None and not self._engine.alive and self._watching is not None:
            await asyncio.shield(self._watching)
        if self._engine is not None:
            return self._engine
        if self._loading is None:
            self._begin_load("loading")
        loading = self._loading
        assert loading is not None
        await asyncio.wait({loading})
        if loading.cancelled():  # unloaded while it was being loaded
            raise EngineDied(cause="exited", detail="", exit_code=None, signal=None)
        return loading.result()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Admitted | Delta | Finished, None]:
        """The engine's events for this request; loads the model first. It counts as in use from the first step on."""
        self._requests += 1
        self._waiting += 1
        admitted = False
        self.last_used = time.monotonic()
        try:
            engine = await self.ready()
            self.show()
            async with aclosing(engine.generate(request)) as events:
                async for event in events:
                    if isinstance(event, Admitted) and not admitted:
                        admitted = True
                        self._waiting -= 1
                    elif isinstance(event, Finished):
                        self._measure(event)
                    yield event
        finally:
            self._requests -= 1
            self._waiting -= 0 if admitted else 1
            self.last_used = time.monotonic()
            self.show()

    async def close(self) -> None:
        """End the child, or the load that would bring one."""
        for task in (self._watching, self._loading):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})
        self._watching = self._loading = None
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await engine.close()

    def on_progress(self, fraction: float) -> None:
        """The child reports how much of the weights it has read."""
        if fraction >= self._fraction + 0.01 or fraction >= 1.0:
            self._fraction = fraction
            self.show()

    def show(self) -> None:
        """Tell the faces how it stands."""
        self._changed(self.status())

    def _begin_load(self, state: EngineState) -> None:
        self._state, self._fraction = state, 0.0
        self._loading = asyncio.create_task(self._load(), name=f"load {self.model.id}")
        self._loading.add_done_callback(_seen)
        self.show()

    async def _load(self) -> RunningEngine:
        try:
            engine = await self._load_engine(self)
        except Exception as error:
            self._state, self._error = "failed", error_body(error)
            log.warning("loading %s failed: %s", self.model.id, self._error.code)
            raise
        else:
            self._engine, self._state, self._fraction, self._error = engine, "ready", 1.0, None
            self._watching = asyncio.create_task(self._watch(engine), name=f"watch {self.model.id}")
            return engine
        finally:
            self._loading = None
            self.show()

    async def _watch(self, engine: RunningEngine) -> None:
        """Wait for the child's death and see to its successor."""
        death = await engine.wait_dead()
        log.warning(
            "engine of %s died: %s (exit code %s, signal %s)", self.model.id, death.cause, death.exit_code, death.signal
        )
        self._engine = None
        self._error = error_body(death)
        now = time.monotonic()
        self._deaths.append(now)
        if len(self._deaths) == BREAKER_DEATHS and now - self._deaths[0] < BREAKER_SECONDS:
            self._state, self._fraction = "failed", 0.0
            self._deaths.clear()
            self.show()
        else:
            self._restarts += 1
            self._begin_load("restarting")

    def _measure(self, finished: Finished) -> None:
        tokens, seconds = finished.usage.completion_tokens, finished.timings.decode_seconds
        if tokens > 1 and seconds > 0:
            self._tokens_per_second = (tokens - 1) / seconds


def _seen(task: asyncio.Task[RunningEngine]) -> None:
    """A load in the background may fail without anybody waiting for it; its error is in the status."""
    if not task.cancelled():
        task.exception()
