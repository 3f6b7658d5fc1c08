"""The service's side of one engine child: load a model, stream answers, notice silence and death."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import assert_never

from inference.errors import EngineDied, EngineDiedLoading, ModelLoadTimeout, ModelRefused, RequestRefused
from inference.values import ChatPrompt, GenerationRequest, LoadPlan, ModelFacts
from inference.worker.child_process import ChildProcess
from inference.worker.death import Ending, cause_of_death
from inference.worker.link import Link
from inference.worker.mailbox import Mailbox
from inference.worker.memory_pressure import out_of_memory_kills
from inference.worker.messages import (
    Admitted,
    Cancel,
    Delta,
    Finished,
    Heartbeat,
    Load,
    LoadProgress,
    LoadRefused,
    MemoryReport,
    PromptShown,
    Ready,
    Refused,
    ShowPrompt,
    Shutdown,
    Submit,
    ToService,
)
from inference.worker.refusals import from_wire
from inference.worker.silence import Patience, Silence
from models_catalog.errors import CatalogError


async def start_engine(
    plan: LoadPlan,
    *,
    on_progress: Callable[[float], None] | None = None,
    on_memory: Callable[[MemoryReport], None] | None = None,
    command: Sequence[str] | None = None,
    patience: Patience | None = None,
    child: ChildProcess | None = None,
) -> Engine:
    """Start a child and load the plan's model in it; returns when it can answer.

    `on_progress` gets fractions 0..1 in the event loop's thread, `on_memory` what the child reports of its memory while
    it works. `command` starts another program that speaks the engine's messages; `child` is one that waits for its
    plan already. Cancelling kills the child. Raises leaves of ModelRefused (EngineDiedLoading when the child ended over
    the file) or of models_catalog's CatalogError.
    """
    engine = Engine(plan, child or ChildProcess(command), on_progress, patience or Patience(), on_memory)
    try:
        async with asyncio.timeout(plan.load_deadline_seconds):
            await engine._load()
    except TimeoutError:
        await engine._discard()
        raise ModelLoadTimeout(path=plan.model_path, limit_seconds=plan.load_deadline_seconds) from None
    except BaseException:
        await engine._discard()
        raise
    return engine


class Engine:
    """A loaded model in its child process. Made by `start_engine`; for the thread of the event loop it was made in."""

    def __init__(
        self,
        plan: LoadPlan,
        child: ChildProcess,
        on_progress: Callable[[float], None] | None,
        patience: Patience,
        on_memory: Callable[[MemoryReport], None] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.plan = plan
        self.pid = child.pid
        self._child = child
        self._on_progress = on_progress
        self._on_memory = on_memory
        self._patience = patience
        self._silence = Silence(patience)
        self._link = Link(self._on_message, self._on_broken_rule)
        self._mailboxes: dict[str, Mailbox] = {}
        self._prompts: dict[str, asyncio.Future[PromptShown]] = {}
        self._ready: asyncio.Future[ModelFacts] = loop.create_future()
        self._death: asyncio.Future[EngineDied] = loop.create_future()
        self._end: EngineDied | None = None
        self._closing = False
        self._was_hung = False
        self._broken_rule = ""
        self._kills_before = out_of_memory_kills()
        self._follower = asyncio.create_task(self._follow(), name=f"engine-{child.pid}")
        self._watchdog: asyncio.Task[None] | None = None
        self._ender: asyncio.Task[None] | None = None

    @property
    def facts(self) -> ModelFacts:
        """What the child learned from the model."""
        return self._ready.result()

    @property
    def alive(self) -> bool:
        """The child can be asked: it has neither ended nor been closed."""
        return self._end is None and not self._closing

    def memory_bytes(self) -> int:
        """Resident memory of the child, mapped weights included; 0 when it has ended."""
        self._kills_before = out_of_memory_kills()
        return self._child.memory_bytes()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Admitted | Delta | Finished, None]:
        """Answer a request: Admitted, then Deltas, then Finished.

        The request is sent when the first event is asked for. Leaving the iteration early (break with `aclose`, task
        cancellation) cancels it in the child. A slow reader gets longer Deltas. A request id is used only once.
        Raises leaves of RequestRefused, or EngineDied when the child ends meanwhile.
        """
        if request.request_id in self._mailboxes:
            raise ValueError(f"request id {request.request_id} is in use")
        self._require_alive()
        self._watch()
        mailbox = self._mailboxes[request.request_id] = Mailbox()
        self._link.send(Submit(request=request))
        try:
            while True:
                event = await mailbox.take()
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            # Still there: the child has not said its last word about the request.
            if self._mailboxes.get(request.request_id) is mailbox:
                self.cancel(request.request_id)
                del self._mailboxes[request.request_id]

    async def show_prompt(self, chat: ChatPrompt) -> PromptShown:
        """What the model would read for this conversation. Waits for the step that the child is at.

        Raises TemplateMissing, TemplateFailed, or EngineDied when the child ends meanwhile.
        """
        self._require_alive()
        request_id = f"prompt-{uuid.uuid4().hex}"
        shown: asyncio.Future[PromptShown] = asyncio.get_running_loop().create_future()
        self._prompts[request_id] = shown
        self._link.send(ShowPrompt(request_id=request_id, chat=chat))
        try:
            return await shown
        finally:
            del self._prompts[request_id]

    def cancel(self, request_id: str) -> None:
        """Stop a request; its iterator then ends with Finished(reason="cancelled"). Unknown ids are ignored."""
        if request_id in self._mailboxes and self.alive:
            self._link.send(Cancel(request_id=request_id))

    async def wait_dead(self) -> EngineDied:
        """Wait until the child ends without having been asked to. Waits for ever when `close` comes first."""
        return await asyncio.shield(self._death)

    async def close(self) -> None:
        """End the child, kindly at first, and wait until it is gone. Requests that still run raise EngineDied."""
        if self.alive:
            self._closing = True
            self._link.send(Shutdown())
            self._ender = asyncio.create_task(self._end_kindly(), name=f"engine-{self.pid}-close")
        await asyncio.shield(self._follower)

    # ---- for start_engine

    async def _load(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self._link, sock=self._child.socket)
        # The child works in another folder.
        path = str(Path(self.plan.model_path).absolute())
        self._link.send(Load(plan=dataclasses.replace(self.plan, model_path=path)))
        await self._ready

    async def _discard(self) -> None:
        self._closing = True
        self._child.kill()
        self._link.close()
        await asyncio.shield(self._follower)

    # ---- the child speaks

    def _on_message(self, message: ToService, size_bytes: int) -> None:
        self._silence.heard(message, asyncio.get_running_loop().time())
        match message:
            case Heartbeat():
                pass
            case LoadProgress():
                if self._on_progress is not None and not self._ready.done():
                    self._on_progress(message.fraction)
            case MemoryReport():
                if self._on_memory is not None:
                    self._on_memory(message)
            case Ready():
                self._settle_load(message.facts)
            case LoadRefused():
                self._settle_load(from_wire(message.error, message.fields, (ModelRefused, CatalogError)))
            case Admitted() | Delta():
                self._deliver(message, size_bytes)
            case Finished():
                self._deliver(message, size_bytes)
                self._mailboxes.pop(message.request_id, None)
            case PromptShown():
                waiting = self._prompts.get(message.request_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case Refused():
                refusal = from_wire(message.error, message.fields, (RequestRefused,))
                waiting = self._prompts.get(message.request_id)
                if waiting is not None and not waiting.done():
                    waiting.set_exception(refusal)
                mailbox = self._mailboxes.pop(message.request_id, None)
                if mailbox is not None:
                    mailbox.fail(refusal)
            case _:
                assert_never(message)

    def _deliver(self, event: Admitted | Delta | Finished, size_bytes: int) -> None:
        # None: the reader has left, and the child had not read the cancellation yet.
        mailbox = self._mailboxes.get(event.request_id)
        if mailbox is not None and not mailbox.put(event, size_bytes):
            self._on_broken_rule("an answer without end")

    def _settle_load(self, outcome: ModelFacts | Exception) -> None:
        if self._ready.done():
            self._on_broken_rule("loaded twice")
        elif isinstance(outcome, ModelFacts):
            self._ready.set_result(outcome)
        else:
            self._ready.set_exception(outcome)

    def _on_broken_rule(self, problem: str) -> None:
        self._broken_rule = self._broken_rule or f"invalid message from the engine: {problem}"
        self._child.kill()

    # ---- the child is silent

    def _watch(self) -> None:
        if not self._mailboxes:
            self._silence.begin(asyncio.get_running_loop().time())
            self._kills_before = out_of_memory_kills()
        if self._watchdog is None or self._watchdog.done():
            self._watchdog = asyncio.create_task(self._watch_silence(), name=f"engine-{self.pid}-watchdog")

    async def _watch_silence(self) -> None:
        """Runs while requests run. Sleeps until the child would be overdue if it said nothing more."""
        loop = asyncio.get_running_loop()
        read_bytes = self._child.read_bytes()
        while self._mailboxes and self.alive:
            left_seconds = self._silence.overdue_at_seconds() - loop.time()
            if left_seconds > 0:
                await self._child.end_within(left_seconds)
                continue
            read_bytes, before = self._child.read_bytes(), read_bytes
            if read_bytes == before:
                self._was_hung = True
                await self._stop()
                return
            # Not hung: weights that the system had dropped come back from a slow disk.
            self._silence.begin(loop.time())

    async def _end_kindly(self) -> None:
        if not await self._child.end_within(self._patience.end_seconds):
            await self._stop()

    async def _stop(self) -> None:
        self._child.terminate()
        if not await self._child.end_within(self._patience.term_seconds):
            self._child.kill()

    # ---- the child ends

    async def _follow(self) -> None:
        """From the start of the child to its end: whichever of socket and process ends first, the other follows."""
        try:
            return_code = await self._see_both_ends()
        except asyncio.CancelledError:
            # The event loop is being closed.
            self._child.kill()
            raise
        finally:
            self._link.close()
            self._child.socket.close()
        self._report(
            cause_of_death(
                Ending(
                    return_code=return_code,
                    black_box=self._child.black_box(),
                    was_hung=self._was_hung,
                    broken_rule=self._broken_rule,
                    kernel_took_memory_back=out_of_memory_kills() > self._kills_before,
                )
            )
        )

    async def _see_both_ends(self) -> int:
        ended, _ = await asyncio.wait((self._child.exited, self._link.closed), return_when=asyncio.FIRST_COMPLETED)
        if self._child.exited in ended:
            # What the child said last may still be on its way.
            await asyncio.wait((self._link.closed,), timeout=self._patience.end_seconds)
        elif not await self._child.end_within(self._patience.end_seconds):
            self._on_broken_rule("connection closed")
        return await self._child.exited

    def _report(self, death: EngineDied) -> None:
        self._end = death
        if not self._ready.done():
            self._ready.set_exception(EngineDiedLoading(path=self.plan.model_path, **dataclasses.asdict(death)))
            self._ready.exception()  # seen: nobody may be waiting for it any more
        while self._mailboxes:
            _, mailbox = self._mailboxes.popitem()
            mailbox.fail(dataclasses.replace(death))
        for waiting in self._prompts.values():
            if not waiting.done():
                waiting.set_exception(dataclasses.replace(death))
        if not self._closing and not self._death.done():
            self._death.set_result(death)

    def _require_alive(self) -> None:
        if self._end is not None:
            raise dataclasses.replace(self._end)
        if self._closing:
            raise EngineDied(cause="exited", detail="", exit_code=None, signal=None)
