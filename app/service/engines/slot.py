"""One model that is loaded, or was asked to be: its state, its engine child, and the child's successors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from app.errors import ModelTooLarge
from app.service.engines.course import PlanCourse, load_failure, use_failure
from app.service.engines.interface import AnswerFigures, RunningEngine
from app.service.engines.sampling_defaults import sampling_defaults
from app.values import EngineState, EngineStatus, ErrorBody, LocalModel
from app.words import error_body
from inference.errors import EngineDied
from inference.planning.ladder import Failure
from inference.planning.values import Wish
from inference.values import GenerationRequest
from inference.worker.messages import Admitted, Delta, Finished, MemoryReport

log = logging.getLogger(__name__)

# So many deaths in so short a time: the next start would only die again.
BREAKER_DEATHS = 3
BREAKER_SECONDS = 60.0


class SlotOwner(Protocol):
    """What a slot needs of its owner, `Engines`."""

    async def load_engine(self, slot: Slot) -> RunningEngine:
        """Make room, plan (unless the course has a plan already) and start a child."""
        ...

    def changed(self, slot: Slot) -> None:
        """Something that a status shows is another."""
        ...

    def lowered(self, slot: Slot) -> None:
        """The last of the course's changes is new: the user is to be told."""
        ...

    def measured(self, slot: Slot, engine: RunningEngine) -> None:
        """The course's measured memory is what this child holds once it has worked, or already too much."""
        ...

    def answered(self, figures: AnswerFigures) -> None:
        """An answer is complete."""
        ...


class Slot:
    """Lives on the service's loop. chosen_profile: the built-in one that the user wants, "": the file's own template in
    any case, None: what is best."""

    def __init__(self, model: LocalModel, wish: Wish, owner: SlotOwner, *, chosen_profile: str | None = None) -> None:
        self.model = model
        self.chosen_profile = chosen_profile
        self.course = PlanCourse(model.id, wish)
        self.last_used = time.monotonic()
        self._owner = owner
        self._state: EngineState = "loading"
        self._engine: RunningEngine | None = None
        # A child that has to be gone before its successor is started.
        self._leaving: RunningEngine | None = None
        self._loading: asyncio.Task[RunningEngine] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._fraction = 0.0
        self._requests = 0
        self._waiting = 0
        self._begun = 0
        self._tokens_per_second = 0.0
        self._restarts = 0
        self._deaths: deque[float] = deque(maxlen=BREAKER_DEATHS)
        self._error: ErrorBody | None = None
        self._ladder_end: ModelTooLarge | None = None

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
    def engine(self) -> RunningEngine | None:
        """The child that answers now, None while there is none."""
        return self._engine if self._engine is not None and self._engine.alive else None

    @property
    def chat_profile(self) -> str | None:
        """The built-in one in use, or to be used; None: the file's own template."""
        return self._engine.facts.chat_profile if self._engine is not None else self.chosen_profile or None

    @property
    def holds_memory(self) -> bool:
        """There is a child."""
        return self._engine is not None

    def status(self) -> EngineStatus:
        """As the faces see it."""
        engine, course = self._engine, self.course
        manner = engine.plan.manner if engine else None
        return EngineStatus(
            model=self.model.id,
            name=self.model.name,
            state=self._state,
            pid=engine.pid if engine else None,
            load_fraction=self._fraction,
            context_tokens=engine.facts.context_tokens if engine else course.wish.context_tokens or 0,
            running_requests=self._requests - self._waiting,
            waiting_requests=self._waiting,
            tokens_per_second=self._tokens_per_second,
            memory_bytes=engine.memory_bytes() if engine else 0,
            restarts=self._restarts,
            error=self._error,
            planned_bytes=course.answer.bill.devices[0].hard_bytes if course.answer else 0,
            private_bytes=course.measured.private_bytes if course.measured else 0,
            changes=course.changes,
            chat_profile=self.chat_profile,
            catalogue_model=manner.model if manner else "",
            sampling_defaults=sampling_defaults(engine.facts) if engine else None,
        )

    async def ready(self) -> RunningEngine:
        """The engine, loaded first if need be; a load goes on when the caller is cancelled. Raises what stopped it."""
        while self._engine is not None and not self._engine.alive and self._watching is not None:
            await asyncio.shield(self._watching)
        if self._engine is not None:
            return self._engine
        if self._loading is None:
            if self._state == "failed":
                self.course.start_over()
                self._ladder_end = None
            self._begin_load("loading")
        loading = self._loading
        assert loading is not None
        await asyncio.wait({loading})
        if loading.cancelled():  # unloaded while it was being loaded
            raise EngineDied(cause="exited", detail="", exit_code=None, signal=None)
        return loading.result()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Admitted | Delta | Finished, None]:
        """The engine's events for this request; loads the model first. It counts as in use from the first step on.

        When memory ran out before anything was said, the successor with its lower plan answers from the beginning.
        """
        self._requests += 1
        self._waiting += 1
        self._begun += 1
        begun, alone = self._begun, self._requests == 1
        self.last_used = time.monotonic()
        admitted: Admitted | None = None
        try:
            while True:
                engine = await self.ready()
                self.show()
                said = False
                try:
                    async with aclosing(engine.generate(request)) as events:
                        async for event in events:
                            if isinstance(event, Admitted):
                                if admitted is not None:
                                    continue
                                admitted = event
                                self._waiting -= 1
                            elif isinstance(event, Finished):
                                self._measure(engine, event, alone=alone and begun == self._begun)
                            said = said or isinstance(event, Delta)
                            yield event
                    return
                except EngineDied as death:
                    if said or use_failure(death) is None or not await self._has_successor(engine):
                        # Words that have been said are kept and can be continued; without any the whole truth is best.
                        if self._ladder_end is not None and not said:
                            raise self._ladder_end from death
                        raise
                    if admitted is not None and request.sampling.seed is None:
                        # The seed was told already.
                        request = replace(request, sampling=replace(request.sampling, seed=admitted.seed))
        finally:
            self._requests -= 1
            self._waiting -= 0 if admitted else 1
            self.last_used = time.monotonic()
            self.show()
            self._lower_when_idle()

    async def close(self) -> None:
        """End the child, or the load that would bring one."""
        for task in (self._watching, self._loading):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})
        self._watching = self._loading = None
        await self._see_off()
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
        self._owner.changed(self)

    def on_memory(self, report: MemoryReport) -> None:
        """The child reports what it holds after its first full batch, or that it grew."""
        self.course.note_private_bytes(report.private_bytes)
        if self._engine is not None:
            self._owner.measured(self, self._engine)
        self._lower_when_idle()

    def _begin_load(self, state: EngineState) -> None:
        self._state, self._fraction = state, 0.0
        self._loading = asyncio.create_task(self._load(), name=f"load {self.model.id}")
        self._loading.add_done_callback(_seen)
        self.show()

    async def _load(self) -> RunningEngine:
        try:
            await self._see_off()
            engine = await self._load_lower_and_lower()
        except Exception as error:
            self._state, self._error = "failed", error_body(error)
            self.course.answer = None
            log.warning("loading %s failed: %s", self.model.id, self._error.code)
            raise
        else:
            self._engine, self._state, self._fraction, self._error = engine, "ready", 1.0, None
            self._watching = asyncio.create_task(self._watch(engine), name=f"watch {self.model.id}")
            return engine
        finally:
            self._loading = None
            self.show()

    async def _see_off(self) -> None:
        if self._leaving is not None:
            await self._leaving.close()
            self._leaving = None

    async def _load_lower_and_lower(self) -> RunningEngine:
        """A child whose memory suffices, one rung lower after each that fails. Raises ModelTooLarge below the last."""
        while True:
            try:
                engine = await self._owner.load_engine(self)
            except Exception as error:
                failure, answer = load_failure(error), self.course.answer
                if failure is None or answer is None:
                    raise
                if not self._lower(failure):
                    raise self.course.too_large(answer) from error
                continue
            self.course.measured = engine.facts.memory
            excess = self.course.over_budget()
            if excess is None:
                return engine
            self._owner.measured(self, engine)
            # At the ladder's end it may stay: it does run.
            if not self._lower(excess):
                return engine
            await engine.close()

    def _lower(self, failure: Failure) -> bool:
        if not self.course.lower(failure):
            return False
        self._fraction = 0.0
        self._owner.lowered(self)
        self.show()
        return True

    def _lower_when_idle(self) -> None:
        """A child that holds too much but works is replaced as soon as nobody waits for its words."""
        if self._requests or self._engine is None or self._loading is not None or not self._engine.alive:
            return
        excess = self.course.over_budget()
        if excess is not None and self._lower(excess):
            self._leaving, self._engine = self._engine, None
            if self._watching is not None:
                self._watching.cancel()
                self._watching = None
            self._begin_load("restarting")

    async def _has_successor(self, engine: RunningEngine) -> bool:
        """After a child's death: wait until it has been seen to; False when there will be no other child."""
        if self._engine is engine and self._watching is not None:
            await asyncio.wait({self._watching})
        return not self.failed

    async def _watch(self, engine: RunningEngine) -> None:
        """Wait for the child's death and see to its successor."""
        death = await engine.wait_dead()
        log.warning(
            "engine of %s died: %s (exit code %s, signal %s)", self.model.id, death.cause, death.exit_code, death.signal
        )
        self._engine = None
        self._error = error_body(death)
        failure, answer = use_failure(death), self.course.answer
        if failure is not None and answer is not None:
            if self._lower(failure):
                self._restarts += 1
                self._begin_load("restarting")
            else:
                self._ladder_end = self.course.too_large(answer)
                self._give_up(error_body(self._ladder_end))
            return
        now = time.monotonic()
        self._deaths.append(now)
        if len(self._deaths) == BREAKER_DEATHS and now - self._deaths[0] < BREAKER_SECONDS:
            self._deaths.clear()
            self._give_up(self._error)
        else:
            self._restarts += 1
            self._begin_load("restarting")

    def _give_up(self, error: ErrorBody) -> None:
        self._state, self._fraction, self._error = "failed", 0.0, error
        self.show()

    def _measure(self, engine: RunningEngine, finished: Finished, *, alone: bool) -> None:
        usage, timings = finished.usage, finished.timings
        if usage.completion_tokens > 1 and timings.decode_seconds > 0:
            self._tokens_per_second = (usage.completion_tokens - 1) / timings.decode_seconds
        if self.course.answer is not None:
            self._owner.answered(
                AnswerFigures(
                    model=self.model.id,
                    planned=self.course.answer,
                    architecture=engine.facts.architecture,
                    prompt_tokens=usage.prompt_tokens - usage.cached_tokens,
                    prefill_seconds=timings.prefill_seconds,
                    completion_tokens=usage.completion_tokens,
                    decode_seconds=timings.decode_seconds,
                    depth_tokens=usage.prompt_tokens + usage.completion_tokens // 2,
                    unevenness=timings.unevenness,
                    alone=alone,
                )
            )


def _seen(task: asyncio.Task[RunningEngine]) -> None:
    """A load in the background may fail without anybody waiting for it; its error is in the status."""
    if not task.cancelled():
        task.exception()
