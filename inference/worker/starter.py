"""Starts engines. One child may wait ahead of time, its libraries loaded, so that the next load is a load only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from inference.values import LoadPlan
from inference.worker.child_process import ChildProcess
from inference.worker.client import Engine, start_engine
from inference.worker.messages import MemoryReport, Prepare, encode

# A waiting child's 25 MB are worth keeping only while a load is likely to come.
IDLE_SECONDS = 60.0


class EngineStarter:
    """Called like `start_engine`. For the thread of one event loop; a child that waits ends with it."""

    def __init__(self, *, command: Sequence[str] | None = None, idle_seconds: float = IDLE_SECONDS) -> None:
        self._command, self._idle_seconds = command, idle_seconds
        self._waiting: ChildProcess | None = None
        self._idle: asyncio.TimerHandle | None = None

    def prepare(self) -> None:
        """Have a child ready for the next load; ended again when none comes."""
        if self._waiting is not None:
            return
        child = ChildProcess(self._command)
        child.socket.sendall(encode(Prepare()))
        self._waiting = child
        self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._let_go)

    async def __call__(
        self,
        plan: LoadPlan,
        *,
        on_progress: Callable[[float], None] | None = None,
        on_memory: Callable[[MemoryReport], None] | None = None,
    ) -> Engine:
        """See `start_engine`."""
        child = self._take() or ChildProcess(self._command)
        return await start_engine(plan, on_progress=on_progress, on_memory=on_memory, child=child)

    def let_go(self) -> None:
        """End the child that waits: it was started with something that is another by now."""
        self._let_go()

    async def close(self) -> None:
        """End the child that waits."""
        child = self._waiting
        self._let_go()
        if child is not None:
            await asyncio.wait((child.exited,))

    def _take(self) -> ChildProcess | None:
        child, self._waiting = self._waiting, None
        if self._idle is not None:
            self._idle.cancel()
        if child is None or not child.exited.done():
            return child
        child.socket.close()
        return None

    def _let_go(self) -> None:
        child = self._take()
        if child is not None:
            child.kill()
            with contextlib.suppress(OSError):
                child.socket.close()
