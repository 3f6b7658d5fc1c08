"""The service's side of the plan worker: started when there is something to plan, gone when it has been idle."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from inference.errors import EngineDiedLoading, ModelLoadTimeout, ModelRefused
from inference.plan_worker.messages import Planned, PlanRefused, PlanTask, decode_reply, encode
from inference.planning.values import PlanAnswer
from inference.worker.child_process import ChildProcess
from inference.worker.death import Ending, cause_of_death
from inference.worker.messages import body_length
from inference.worker.refusals import UnknownRefusal, from_wire
from models_catalog.errors import CatalogError
from resources.own_program import module_command

_COMMAND = module_command("inference.plan_worker.entry")
# A plan takes 0.1 s; the largest shapes on many devices, on a machine that is busy otherwise, some seconds.
LIMIT_SECONDS = 60.0
# The worker's 60 MB are worth keeping only while somebody moves sliders.
IDLE_SECONDS = 60.0


class PlanWorker:
    """Plans one task at a time, in the order of asking; for the thread of one event loop."""

    def __init__(
        self,
        *,
        command: Sequence[str] = _COMMAND,
        limit_seconds: float = LIMIT_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._command = command
        self._limit_seconds, self._idle_seconds = limit_seconds, idle_seconds
        self._turn = asyncio.Lock()
        self._child: _Child | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Have a worker ready, so that the next plan does not wait for it; ended again when none comes."""
        async with self._turn:
            await self._ready_child()
            self._wait_idly()

    async def plan(self, task: PlanTask) -> PlanAnswer:
        """The worker's plan. A cancelled task ends the worker; the next one gets a new one.

        Raises leaves of ModelRefused (EngineDiedLoading when llama.cpp ended the process, ModelLoadTimeout when it
        did not come to an end) and of CatalogError.
        """
        async with self._turn:
            child = await self._ready_child()
            try:
                async with asyncio.timeout(self._limit_seconds):
                    reply = await child.ask(task)
            except TimeoutError:
                await self._end()
                raise ModelLoadTimeout(path=task.model_path, limit_seconds=self._limit_seconds) from None
            except BaseException:
                await self._end()
                raise
            self._wait_idly()
        if isinstance(reply, Planned):
            return reply.answer
        raise from_wire(reply.error, reply.fields, (ModelRefused, CatalogError))

    async def close(self) -> None:
        """End the worker."""
        async with self._turn:
            await self._end()

    async def _ready_child(self) -> _Child:
        if self._idle is not None:
            self._idle.cancel()
        if self._child is None or self._child.process.exited.done():
            self._child = await _Child.start(self._command)
        return self._child

    def _wait_idly(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_soon)

    async def _end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        child, self._child = self._child, None
        if child is not None:
            await child.end()

    def _end_soon(self) -> None:
        if self._child is not None and not self._turn.locked():
            child, self._child = self._child, None
            child.process.kill()
            child.writer.close()


class _Child:
    """A running worker and the stream to it."""

    def __init__(self, process: ChildProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process, self._reader, self.writer = process, reader, writer

    @classmethod
    async def start(cls, command: Sequence[str]) -> _Child:
        process = ChildProcess(command)
        process.socket.setblocking(False)
        return cls(process, *await asyncio.open_connection(sock=process.socket))

    async def ask(self, task: PlanTask) -> Planned | PlanRefused:
        try:
            self.writer.write(encode(task))
            await self.writer.drain()
            length = body_length(await self._reader.readexactly(4))
            return decode_reply(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            code = await self.process.exited
            death = cause_of_death(Ending(return_code=code, black_box=self.process.black_box()))
            raise EngineDiedLoading(
                path=task.model_path,
                cause=death.cause,
                detail=death.detail,
                exit_code=death.exit_code,
                signal=death.signal,
            ) from error
        except (msgspec.DecodeError, ValueError, UnknownRefusal) as error:
            raise EngineDiedLoading(
                path=task.model_path, cause="exited", detail=str(error), exit_code=None, signal=None
            ) from error

    async def end(self) -> None:
        self.process.kill()
        self.writer.close()
        await self.process.exited
