"""When what arrived is forced to the disk and hashed: while more arrives, in threads of their own.

A power cut takes at most the last 4 MiB of each connection where the disk is faster than the line, else about the last
second: a connection waits for the disk only when what it brought longer ago than that is not safe yet.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from models_catalog.download.following_hash import FollowingHash
from models_catalog.download.part_file import PartFile
from models_catalog.download.raw_file import Data
from models_catalog.download.threads import in_thread, quiet_thread
from models_catalog.transfer.patience import Patience

_Result = TypeVar("_Result")
_HASH_SECONDS = 0.2
_HASH_AT_ONCE_BYTES = 8 * 1024 * 1024


class Keeper:
    """Stands between the connections of one file and its part; for one event loop, where `run` is a task."""

    def __init__(self, part: PartFile, patience: Patience) -> None:
        self._part, self._digest, self._patience = part, FollowingHash(part), patience
        self._unsafe: Counter[int] = Counter()
        self._unsafe_since = time.monotonic()
        self._due = asyncio.Event()
        self._safe = asyncio.Condition()
        self._hashing = asyncio.Lock()

    async def beside(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Does the work while everything is kept; raises what the work raises, or the disk."""
        keeping, working = asyncio.ensure_future(self.run()), asyncio.ensure_future(work)
        try:
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                _raise_first(keeping.exception())
            return await working
        finally:
            for task in (working, keeping):
                task.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    def put(self, connection: int, offset: int, data: Data, source: str) -> None:
        """Writes bytes that a connection brought."""
        self._part.put(offset, data, source)
        self._unsafe[connection] += len(data)
        if 2 * self._unsafe[connection] >= self._patience.checkpoint_bytes:
            self._due.set()

    async def settle(self, connection: int) -> None:
        """Waits until no more of this connection's bytes could be lost than may be."""
        if self._may_lose_too_much(connection):
            async with self._safe:
                await self._safe.wait_for(lambda: not self._may_lose_too_much(connection))

    def _may_lose_too_much(self, connection: int) -> bool:
        late = time.monotonic() - self._unsafe_since > self._patience.checkpoint_seconds
        return late and self._unsafe[connection] >= self._patience.checkpoint_bytes

    async def sha256(self, on_progress: Callable[[int], None]) -> str:
        """Of the whole file, every byte of which is there; on_progress is told how many bytes are done."""
        async with self._hashing:
            with self._part.disk_errors():
                return await in_thread(lambda stop: self._digest.finish(stop, on_progress))

    async def run(self) -> None:
        """Runs until it is cancelled; raises what the disk has to say."""
        with quiet_thread() as quiet:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sync())
                group.create_task(self._check(quiet))
                group.create_task(self._follow(quiet))

    async def _sync(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._patience.checkpoint_seconds):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            brought, since = Counter(self._unsafe), time.monotonic()
            await asyncio.to_thread(self._part.sync)
            self._unsafe -= brought
            self._unsafe_since = since
            async with self._safe:
                self._safe.notify_all()

    async def _check(self, quiet: Executor) -> None:
        while True:
            await asyncio.sleep(self._patience.checkpoint_seconds)
            await asyncio.get_running_loop().run_in_executor(quiet, self._part.check_blocks)

    async def _follow(self, quiet: Executor) -> None:
        while True:
            async with self._hashing:
                with self._part.disk_errors():
                    done_bytes = await in_thread(self._digest.advance, quiet)
            if done_bytes < _HASH_AT_ONCE_BYTES:
                await asyncio.sleep(_HASH_SECONDS)


def _raise_first(error: BaseException | None) -> None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is not None:
        raise error
