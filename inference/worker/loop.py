"""The one engine thread of a child: takes messages, plans a step, decodes, samples, answers; it owns everything."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from inference.backends.protocol import Backend, DecodeFailed, DecodeInterrupted
from inference.backends.shortage import with_shortage
from inference.errors import EngineBusy, InferenceError
from inference.scheduling.scheduler import Limits, Scheduler
from inference.scheduling.step import Restore, StepPlan
from inference.values import ChatPrompt, FinishReason, GenerationRequest, LoadPlan, ModelFacts, SamplingWish
from inference.worker.answering import Answering
from inference.worker.black_box import record
from inference.worker.connection import Connection, ConnectionClosed
from inference.worker.death import EXIT_OUT_OF_MEMORY
from inference.worker.memory_watch import MemoryWatch
from inference.worker.messages import (
    Admitted,
    Cancel,
    Heartbeat,
    LoadProgress,
    LoadRefused,
    PromptShown,
    Ready,
    Refused,
    ShowPrompt,
    Shutdown,
    Submit,
    ToChild,
    ToService,
)
from inference.worker.prompts import PromptMaker
from inference.worker.refusals import to_wire

# More requests than this in one line are a runaway client, not users.
WAITING_LIMIT = 512
# A step expected to be longer than this is announced, so that the watchdog does not take it for a hang.
ANNOUNCE_SECONDS = 1.0
# How often a long prefill looks for a cancel.
_LOOK_SECONDS = 0.02
# llama.cpp: 1 no cells, -1 invalid batch; the cache is untouched or can be cleared. Others leave the device in doubt.
_RECOVERABLE = (1, -1)
# ggml could not allocate what this call needs (GGML_STATUS_ALLOC_FAILED).
_NO_MEMORY = -2
_EXIT_DECODE_FAILED = 1


def run_engine(connection: Connection, plan: LoadPlan) -> int:
    """Load the plan's model, answer requests until told to stop. Returns the process's exit code."""
    try:
        backend = _load(connection, plan)
        prompts = PromptMaker(backend, plan)
    except InferenceError as error:
        name, fields = to_wire(error)
        connection.send(LoadRefused(error=name, fields=fields))
        return 0
    connection.send(Ready(facts=_facts(backend, prompts)))
    try:
        return EngineLoop(connection, backend, prompts).run()
    finally:
        backend.close()


def _facts(backend: Backend, prompts: PromptMaker) -> ModelFacts:
    """What the backend knows, and how the model is talked to."""
    nothing = SamplingWish()
    return replace(
        backend.facts,
        can_think=prompts.tags is not None,
        has_chat_template=backend.facts.has_chat_template or prompts.profile is not None,
        chat_profile=prompts.profile,
        sampling_thinking=prompts.sampling(nothing, thinking=True),
        sampling_answering=prompts.sampling(nothing, thinking=False),
    )


def _load(connection: Connection, plan: LoadPlan) -> Backend:
    """The backend that the plan names; progress goes to the service as whole percents."""
    told = -1

    def on_progress(fraction: float) -> None:
        nonlocal told
        percent = int(fraction * 100)
        if percent > told:
            told = percent
            connection.send(LoadProgress(fraction=fraction))

    if plan.backend == "scripted":
        from inference.backends.scripted import ScriptedBackend

        return ScriptedBackend(plan, record, on_progress)
    from inference.backends.llama_cpp import backend as llama_cpp
    from inference.backends.llama_cpp.library import Callbacks

    callbacks = Callbacks(lambda last_words: record(with_shortage(last_words, callbacks.log)))
    return llama_cpp.load(plan, callbacks=callbacks, on_progress=on_progress)


class EngineLoop:
    """Runs on the child's only thread. `clock` gives seconds that never go back."""

    def __init__(
        self,
        connection: Connection,
        backend: Backend,
        prompts: PromptMaker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._backend = backend
        self._clock = clock
        self._prompts = prompts
        facts = backend.facts
        self._scheduler = Scheduler(
            Limits(
                cells=facts.context_tokens,
                sequences=facts.sequences,
                batch_tokens=backend.batch_tokens,
                can_trim=facts.can_trim,
            )
        )
        self._memory = MemoryWatch(backend.private_bytes, backend.batch_tokens)
        self._answering: dict[str, Answering] = {}
        self._inbox: deque[ToChild] = deque()
        self._outbox: list[ToService] = []
        self._closed = False
        self._looked_at = 0.0
        self._failures = 0

    def run(self) -> int:
        """Until Shutdown (0) or a failure of the device. Raises ConnectionClosed when the service is gone."""
        while True:
            if not self._take_messages():
                return 0
            if self._scheduler.empty:
                continue
            try:
                self._step()
            except DecodeFailed as failure:
                self._failures += 1
                if failure.code == _NO_MEMORY:
                    record(b"llama_decode: out of memory")
                    return EXIT_OUT_OF_MEMORY
                if failure.code not in _RECOVERABLE or self._failures > 2:
                    record(f"llama_decode returned {failure.code}".encode())
                    return _EXIT_DECODE_FAILED
                self._backend.clear()
                self._scheduler.reset_cache()
            self._send()

    # -- messages -----------------------------------------------------------------------------------------------------

    def _take_messages(self) -> bool:
        """Take every message that is there, waiting for one when there is nothing to do. False: shut down."""
        while True:
            if not self._inbox:
                idle = self._scheduler.empty
                message = self._connection.receive(None if idle else 0)
                if message is None:
                    return True
                self._inbox.append(message)
            match self._inbox.popleft():
                case Submit(request=request):
                    self._submit(request)
                case Cancel(request_id=request_id):
                    self._cancel(request_id)
                case ShowPrompt(request_id=request_id, chat=chat):
                    self._show_prompt(request_id, chat)
                case Shutdown():
                    return False
                case _:
                    pass
            self._send()

    def _submit(self, request: GenerationRequest) -> None:
        try:
            _, waiting = self._scheduler.counts()
            if waiting >= WAITING_LIMIT:
                raise EngineBusy(waiting=waiting, limit=WAITING_LIMIT)
            prompt = self._prompts.prepare(request, now=datetime.now())
            sampler = self._backend.sampler(prompt.sampling, prompt.tokens)
        except InferenceError as error:
            name, fields = to_wire(error)
            self._outbox.append(Refused(request_id=request.request_id, error=name, fields=fields))
            return
        self._answering[request.request_id] = Answering(
            request=request,
            sampler=sampler,
            text=prompt.text,
            prompt_tokens=len(prompt.tokens),
            token_limit=prompt.token_limit,
            end_tokens=prompt.end_tokens,
            submitted_at=self._clock(),
        )
        self._scheduler.submit(
            request.request_id, prompt.tokens, max_tokens=prompt.token_limit, interactive=request.interactive
        )

    def _show_prompt(self, request_id: str, chat: ChatPrompt) -> None:
        try:
            rendered, tokens = self._prompts.render(chat, now=datetime.now())
        except InferenceError as error:
            name, fields = to_wire(error)
            self._outbox.append(Refused(request_id=request_id, error=name, fields=fields))
        else:
            shown = PromptShown(request_id=request_id, text=rendered.text, prompt_tokens=len(tokens))
            self._outbox.append(shown)

    def _cancel(self, request_id: str) -> None:
        if request_id in self._answering:
            self._finish(request_id, "cancelled")

    def _send(self) -> None:
        if self._closed:
            raise ConnectionClosed
        if self._outbox:
            messages, self._outbox = self._outbox, []
            self._connection.send_all(messages)

    # -- a step -------------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        plan = self._scheduler.plan()
        if not self._prepare_cache(plan) or not plan.segments:
            return
        self._announce(plan)
        started = self._clock()
        try:
            self._backend.decode(plan.segments, self._interrupted if self._backend.facts.can_trim else _never)
        except DecodeInterrupted:
            return
        self._scheduler.ran(plan)
        self._failures = 0
        if (report := self._memory.after_step(plan.decode_rows, plan.chunk_tokens)) is not None:
            self._outbox.append(report)
        now = self._clock()
        self._scheduler.cost = self._scheduler.cost.observe(
            decode_rows=plan.decode_rows, chunk_tokens=plan.chunk_tokens, seconds=now - started
        )
        self._sample(plan, now)

    def _prepare_cache(self, plan: StepPlan) -> bool:
        """Do the plan's actions. False: a saved state was lost, so the plan's segments no longer hold."""
        intact = True
        for action in plan.actions:
            if not self._backend.act(action) and isinstance(action, Restore):
                self._scheduler.saved_state_lost(action.request_id)
                intact = False
        now = self._clock()
        for admission in plan.admitted:
            answering = self._answering[admission.request_id]
            if answering.admitted_at >= 0:
                continue
            answering.admitted_at = now
            answering.cached_tokens = admission.cached_tokens
            self._outbox.append(
                Admitted(
                    request_id=admission.request_id,
                    prompt_tokens=answering.prompt_tokens,
                    cached_tokens=admission.cached_tokens,
                    seed=answering.sampler.seed,
                )
            )
        return intact

    def _announce(self, plan: StepPlan) -> None:
        expected = self._scheduler.cost.predict_seconds(decode_rows=plan.decode_rows, chunk_tokens=plan.chunk_tokens)
        if expected > ANNOUNCE_SECONDS:
            self._outbox.append(Heartbeat(silent_for_seconds=expected))
        if self._outbox:
            self._send()

    def _interrupted(self) -> bool:
        """Called from inside a long decode: whether somebody cancelled one of its requests meanwhile. Never raises."""
        now = self._clock()
        if now - self._looked_at < _LOOK_SECONDS:
            return False
        self._looked_at = now
        try:
            while (message := self._connection.receive(0)) is not None:
                self._inbox.append(message)
        except (ConnectionClosed, ValueError):
            self._closed = True
            return True
        return any(isinstance(message, Cancel | Shutdown) for message in self._inbox)

    def _sample(self, plan: StepPlan, now: float) -> None:
        row = 0
        for segment in plan.segments:
            if not segment.output:
                continue
            answering = self._answering[segment.request_id]
            token = answering.sampler.sample(row)
            reason = answering.take(self._backend, row, token, now)
            row += 1
            if reason is None:
                self._scheduler.token(segment.request_id, token)
                if not self._scheduler.has_room(segment.request_id):
                    reason = "length"
            if reason is not None:
                self._finish(segment.request_id, reason)
            elif (delta := answering.delta()) is not None:
                self._outbox.append(delta)

    def _finish(self, request_id: str, reason: FinishReason) -> None:
        answering = self._answering.pop(request_id)
        if (delta := answering.last_delta()) is not None:
            self._outbox.append(delta)
        self._outbox.append(answering.finished(reason))
        answering.sampler.close()
        self._scheduler.finish(request_id)
        self._backend.forget_saved(request_id)


def _never() -> bool:
    return False
