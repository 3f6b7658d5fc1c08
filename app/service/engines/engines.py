"""Owns all loaded models: which are loaded, which has to go to make room, and who answers a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing, suppress
from dataclasses import replace

from app.errors import MemoryTooSmall, ModelInUse, ModelNotLoaded
from app.service.engines.interface import (
    AnswerFigures,
    MakePlan,
    MannerOf,
    OnAnswer,
    OnMeasured,
    RunningEngine,
    StartEngine,
)
from app.service.engines.residuals import residuals
from app.service.engines.slot import Slot
from app.service.events import EventBus
from app.service.library import Library
from app.values import EngineStatus, LocalModel, MessagePrompt
from inference.errors import EngineDied
from inference.planning.values import HOST, DeviceBytes, PlanAnswer, Wish
from inference.values import ChatPrompt, GenerationRequest, MeasuredMemory, ModelManner
from inference.worker.messages import Admitted, Delta, Finished

log = logging.getLogger(__name__)

STATUS_SECONDS = 1.0
IDLE_POLL_SECONDS = 0.2


class Engines:
    """For the service's loop only.

    chat_profile_of: the user's choice of a built-in chat profile for a model, by its id; "": the file's own template.
    manner_of: how the catalogue says that a model is to be talked to.
    available_bytes: memory that can be taken now without swapping. default_context_tokens: the user's wish for models
    that are loaded without one, None leaves it to the planner. on_measured: learns what a loaded model holds beyond its
    bill; on_answer: what an answer took.
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
        chat_profile_of: Callable[[str], str | None] = lambda model_id: None,
        manner_of: MannerOf | None = None,
        on_measured: OnMeasured | None = None,
        on_answer: OnAnswer | None = None,
    ) -> None:
        self._library = library
        self._start_engine = start_engine
        self._make_plan = make_plan
        self._default_context_tokens = default_context_tokens
        self._available_bytes = available_bytes
        self._events = events
        self._chat_profile_of = chat_profile_of
        self._manner_of = manner_of or _no_manner
        self._on_measured = on_measured
        self._on_answer = on_answer
        self._slots: dict[str, Slot] = {}
        # Free memory means something only while nobody else is taking it.
        self._one_load = asyncio.Lock()
        self._reporter: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def at_work(self) -> bool:
        """A model is being loaded or answers."""
        return any(slot.busy for slot in self._slots.values())

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

    def memory(self, model_id: str) -> tuple[PlanAnswer, MeasuredMemory | None] | None:
        """What was planned for a loaded model and what was measured then; None when it is not loaded."""
        slot = self._slots.get(model_id)
        if slot is None or slot.course.answer is None:
            return None
        return slot.course.answer, slot.course.measured

    async def load(
        self, wanted: str, wish: Wish | None = None, *, exactly: bool = False, chat_profile: str | None = None
    ) -> EngineStatus:
        """Load a model and return when it is ready.

        chat_profile: name of a built-in one; "": the file's own template; None: as the user's settings have it.
        A loaded one is loaded anew when something else is wished for; with `exactly` also when fewer numbers are fixed
        than it was loaded with. Raises ModelMissing, ModelInUse, MemoryTooSmall, ModelTooLarge, or what the model's
        file or the engine brought up.
        """
        model_id = await self.resolve(wanted)
        slot = self._slots.get(model_id)
        wished = exactly or wish not in (None, Wish())
        other_profile = slot is not None and chat_profile is not None and chat_profile != slot.chosen_profile
        if slot is not None and (other_profile or (wished and self._with_default(wish) != slot.course.wish)):
            if slot.busy:
                raise ModelInUse(model=model_id, requests=slot.requests)
            await self._drop(slot)
        slot = await self._slot(model_id, wish, chat_profile)
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

    async def release(self, model_id: str) -> None:
        """See to it that nothing here uses the model's files. Raises ModelInUse while it is loaded or being loaded."""
        slot = self._slots.get(model_id)
        if slot is None:
            return
        if slot.holds_memory or slot.busy:
            raise ModelInUse(model=model_id, requests=slot.requests)
        await self._drop(slot)

    async def unload_when_idle(self, model_ids: Collection[str]) -> None:
        """End the engines of these models as soon as they do not answer any more."""
        for model_id in model_ids:
            while (slot := self._slots.get(model_id)) is not None:
                if not slot.busy:
                    await self._drop(slot)
                    break
                await asyncio.sleep(IDLE_POLL_SECONDS)

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

    async def show_prompt(self, wanted: str, chat: ChatPrompt) -> MessagePrompt:
        """What the model would read for this conversation. Raises ModelNotLoaded, TemplateMissing, TemplateFailed."""
        model_id = await self.resolve(wanted)
        slot = self._slots.get(model_id)
        if slot is None or slot.engine is None:
            raise ModelNotLoaded(model=model_id)
        shown = await slot.engine.show_prompt(chat)
        return MessagePrompt(
            model=model_id, text=shown.text, prompt_tokens=shown.prompt_tokens, chat_profile=slot.chat_profile
        )

    async def close(self) -> None:
        """End all engines; requests that still run raise EngineDied."""
        self._closed = True
        if self._reporter is not None:
            self._reporter.cancel()
        await asyncio.gather(*(slot.close() for slot in self._slots.values()))

    async def _slot(self, model_id: str, wish: Wish | None, chat_profile: str | None = None) -> Slot:
        if model_id not in self._slots:
            model = await self._library.find(model_id)
            # Another request may have made it while this one waited for the library.
            chosen = self._chat_profile_of(model_id) if chat_profile is None else chat_profile
            slot = Slot(model, self._with_default(wish), self, chosen_profile=chosen)
            self._slots.setdefault(model_id, slot)
        return self._slots[model_id]

    def _with_default(self, wish: Wish | None) -> Wish:
        wish = wish or Wish()
        if wish.context_tokens is None:
            wish = replace(wish, context_tokens=self._default_context_tokens())
        return wish

    # ---- for slots

    async def load_engine(self, slot: Slot) -> RunningEngine:
        """See SlotOwner."""
        async with self._one_load:
            if self._closed:
                raise EngineDied(cause="exited", detail="", exit_code=None, signal=None)
            answer, manner = await asyncio.gather(self._plan_with_room(slot), self._manner_of(slot.model))
            plan = replace(answer.plan, chat_profile=slot.chosen_profile, manner=manner)
            slot.course.answer = answer if plan == answer.plan else replace(answer, plan=plan)
            return await self._start_engine(
                slot.course.answer.plan, on_progress=slot.on_progress, on_memory=slot.on_memory
            )

    def changed(self, slot: Slot) -> None:
        """See SlotOwner."""
        if not self._closed:
            self._events.publish("engine", slot.status())

    def lowered(self, slot: Slot) -> None:
        """See SlotOwner."""
        change = slot.course.changes[-1]
        self._events.publish("plan_changed", {"model": slot.model.id, "name": slot.model.name, "change": change})

    def measured(self, slot: Slot, engine: RunningEngine) -> None:
        """See SlotOwner."""
        answer, memory = slot.course.answer, slot.course.measured
        if answer is None or memory is None:
            return
        found = residuals(answer.bill, memory)
        log.info("%s holds %d bytes, beyond its plan: %s", slot.model.id, memory.private_bytes, found)
        if self._on_measured is not None:
            self._on_measured(engine.facts.engine, engine.facts.architecture, found)

    def answered(self, figures: AnswerFigures) -> None:
        """See SlotOwner."""
        if self._on_answer is not None:
            self._on_answer(figures)

    # ---- room

    async def _plan_with_room(self, slot: Slot) -> PlanAnswer:
        """A plan for which there is room now, idle models unloaded for it where they must be.

        A plan that the course keeps stays as it is while there is room for it. Raises MemoryTooSmall when busy models
        leave no room, ModelTooLarge when all free memory is less than the plan needs beside mapped weights.
        """
        course, kept = slot.course, slot.course.answer is not None
        freed = {} if kept else self._idle_bytes()
        answer = course.answer or await self._make_plan(slot.model, course.wish, course.limits, freed)
        unloaded = False
        while (short := self._short_of(answer)) is not None:
            if await self._unload_idle():
                unloaded = True
            elif freed or kept:
                # What was idle is gone and it was not enough, or has become busy, or memory was taken by others.
                freed, kept, unloaded = {}, False, False
                answer = await self._make_plan(slot.model, course.wish, course.limits, freed)
            elif any(other.holds_memory for other in self._slots.values()):
                bar, free_bytes = short
                raise MemoryTooSmall(needed_bytes=bar.hard_bytes, free_bytes=free_bytes)
            elif short[0].hard_bytes > short[1]:
                raise course.too_large(answer)
            else:
                break  # alone it may take of what is kept for others
        if unloaded and not kept:
            answer = await self._make_plan(slot.model, course.wish, course.limits, {})
        return answer

    def _idle_bytes(self) -> dict[str, int]:
        """By device, what unloading every idle model would free."""
        freed: dict[str, int] = {}
        for slot in self._idle():
            for name, held in slot.course.held_bytes().items():
                freed[name] = freed.get(name, 0) + held
        return freed

    def _short_of(self, answer: PlanAnswer) -> tuple[DeviceBytes, int] | None:
        """The device that has no room for the plan yet, and its free bytes now.

        The host's free memory is read anew; of another device the plan's figure counts, without what idle models still
        hold.
        """
        held = self._idle_bytes()
        for bar in answer.bill.devices:
            free_bytes = self._available_bytes() if bar.name == HOST else bar.free_bytes - held.get(bar.name, 0)
            reserve_bytes = max(0, bar.free_bytes - bar.budget_bytes)
            if bar.hard_bytes > free_bytes - reserve_bytes:
                return bar, free_bytes
        return None

    def _idle(self) -> list[Slot]:
        return [slot for slot in self._slots.values() if slot.holds_memory and not slot.busy]

    async def _unload_idle(self) -> bool:
        """Unload the model that has been idle for longest; False when none is idle."""
        idle = self._idle()
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


async def _no_manner(model: LocalModel) -> ModelManner | None:
    return None
