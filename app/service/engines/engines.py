"""Owns all loaded models: which are loaded, which has to go to make room, and who answers a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

from app.errors import MemoryTooSmall, ModelInUse
from app.service.engines.interface import MakePlan, RunningEngine, StartEngine
from app.service.engines.slot import Slot
from app.service.events import EventBus
from app.service.library import Library
from app.values import EngineStatus
from inference.errors import EngineDied
from inference.values import GenerationRequest
from inference.worker.messages import Admitted, Delta, Finished

log = logging.getLogger(__name__)

STATUS_SECONDS = 1.0


class Engines:
    """For the service's loop only.

    available_bytes: memory that can be taken now without swapping. default_context_tokens: the user's wish for models
    that are loaded without one, None leaves it to the planner.
    """

    def __init__(
        self,
        *,
        library: Library,
        start_engine: StartEngine,
        make_plan: MakePlan,
        default_context_tokens: Callable[[], int | None],
        available_bytes: Callable[[], int],
        events: EventBus,
    ) -> None:
        self._library = library
        self._start_engine = start_engine
        self._make_plan = make_plan
        self._default_context_tokens = default_context_tokens
        self._available_bytes = available_bytes
        self._events = events
        self._slots: dict[str, Slot] = {}
        # Free memory means something only while nobody else is taking it.
        self._one_load = asyncio.Lock()
        self._reporter: asyncio.Task[None] | None = None
        self._closed = False

    def statuses(self) -> tuple[EngineStatus, ...]:
        """All models that are loaded, being loaded or failed, the one used last first."""
        slots = sorted(self._slots.values(), key=lambda slot: slot.last_used, reverse=True)
        return tuple(slot.status() for slot in slots)

    async def resolve(self, wanted: str) -> str:
        """The id of the model a client means; "" and "default" are the one used last, else the library's choice.

        Raises ModelMissing and NoModelInstalled.
        """
        if wanted in self._slots:
            return wanted
        if wanted in ("", "default"):
            working = [slot for slot in self._slots.values() if not slot.failed]
            used = max(working, key=lambda slot: slot.last_used, default=None)
            default = used.model if used is not None else await self._library.default()
            return default.id
        return (await self._library.find(wanted)).id

    async def load(self, wanted: str, context_tokens: int | None = None) -> EngineStatus:
        """Load a model and return when it is ready.

        A loaded one is loaded anew when another context length is asked for. Raises ModelMissing, ModelInUse,
        MemoryTooSmall, or what the model's file or the engine brought up.
        """
        model_id = await self.resolve(wanted)
        slot = self._slots.get(model_id)
        if slot is not None and context_tokens is not None and slot.context_tokens != context_tokens:
            if slot.busy:
                raise ModelInUse(model=model_id, requests=slot.requests)
            await self._drop(slot)
        slot = await self._slot(model_id, context_tokens)
        await slot.ready()
        return slot.status()

    async def unload(self, wanted: str) -> None:
        """End the model's engine. Raises ModelMissing, and ModelInUse while it answers."""
        slot = self._slots.get(await self.resolve(wanted))
        if slot is None:
            return
        if slot.requests:
            raise ModelInUse(model=slot.model.id, requests=slot.requests)
        await self._drop(slot)

    async def generate(
        self, wanted: str, request: GenerationRequest
    ) -> AsyncGenerator[Admitted | Delta | Finished, None]:
        """Answer a request with this model, loaded first if need be. Raises as `load` does, RequestRefused, EngineDied.

        Has to be closed (`aclosing`) when it is left early: that stops the request in the child.
        """
        slot = await self._slot(await self.resolve(wanted), None)
        self._report()
        async with aclosing(slot.generate(request)) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        """End all engines; requests that still run raise EngineDied."""
        self._closed = True
        if self._reporter is not None:
            self._reporter.cancel()
        await asyncio.gather(*(slot.close() for slot in self._slots.values()))

    async def _slot(self, model_id: str, context_tokens: int | None) -> Slot:
        if model_id not in self._slots:
            model = await self._library.find(model_id)
            # Another request may have made it while this one waited for the library.
            wish = context_tokens or self._default_context_tokens()
            self._slots.setdefault(model_id, Slot(model, wish, self._load_engine, self._show))
        return self._slots[model_id]

    async def _load_engine(self, slot: Slot) -> RunningEngine:
        async with self._one_load:
            if self._closed:
                raise EngineDied(cause="exited", detail="", exit_code=None, signal=None)
            planned = await self._make_plan(slot.model, slot.context_tokens)
            while (free_bytes := self._available_bytes()) < planned.needed_bytes:
                if not await self._unload_idle():
                    if any(other.holds_memory for other in self._slots.values()):
                        raise MemoryTooSmall(needed_bytes=planned.needed_bytes, free_bytes=free_bytes)
                    break  # alone it may be larger than the memory: the plan maps it from its file
                planned = await self._make_plan(slot.model, slot.context_tokens)
            return await self._start_engine(planned.plan, on_progress=slot.on_progress)

    async def _unload_idle(self) -> bool:
        """Unload the model that has been idle for longest; False when none is idle."""
        idle = [slot for slot in self._slots.values() if slot.holds_memory and not slot.busy]
        if not idle:
            return False
        oldest = min(idle, key=lambda slot: slot.last_used)
        log.info("unloading %s to make room", oldest.model.id)
        await self._drop(oldest)
        return True

    async def _drop(self, slot: Slot) -> None:
        self._slots.pop(slot.model.id, None)
        await slot.close()
        self._events.publish("engine_unloaded", {"model": slot.model.id})

    def _show(self, status: EngineStatus) -> None:
        if not self._closed:
            self._events.publish("engine", status)

    def _report(self) -> None:
        if self._reporter is None or self._reporter.done():
            self._reporter = asyncio.create_task(self._report_while_busy(), name="engine reports")

    async def _report_while_busy(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(STATUS_SECONDS)
                busy = [slot for slot in self._slots.values() if slot.requests]
                if not busy:
                    return
                for slot in busy:
                    slot.show()
