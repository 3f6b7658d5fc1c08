"""When what arrived is forced to the disk: at the latest after a second, or 4 MiB of one connection.

The network is not kept waiting for the disk meanwhile, unless a connection has brought its 4 MiB before the last ones
are safe.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from models_catalog.download.part_file import PartFile
from models_catalog.transfer.patience import Patience


class Keeper:
    """Stands between the connections of one file and its part; for one event loop, where `run` is a task."""

    def __init__(self, part: PartFile, patience: Patience) -> None:
        self._part, self._patience = part, patience
        self._unsafe: Counter[int] = Counter()
        self._due = asyncio.Event()
        self._safe = asyncio.Condition()

    def put(self, connection: int, offset: int, data: bytes | bytearray, source: str) -> None:
        """Writes bytes that a connection brought."""
        self._part.put(offset, data, source)
        self._unsafe[connection] += len(data)
        if 2 * self._unsafe[connection] >= self._patience.checkpoint_bytes:
            self._due.set()

    async def settle(self, connection: int) -> None:
        """Waits until less of this connection's bytes could be lost than may be."""
        if self._unsafe[connection] >= self._patience.checkpoint_bytes:
            async with self._safe:
                await self._safe.wait_for(lambda: self._unsafe[connection] < self._patience.checkpoint_bytes)

    async def run(self) -> None:
        """Runs until it is cancelled; raises what the disk has to say."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sync())
            group.create_task(self._hash())

    async def _sync(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._patience.checkpoint_seconds):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            brought = Counter(self._unsafe)
            await asyncio.to_thread(self._part.sync)
            self._unsafe -= brought
            async with self._safe:
                self._safe.notify_all()

    async def _hash(self) -> None:
        while True:
            await asyncio.sleep(self._patience.checkpoint_seconds)
            await asyncio.to_thread(self._part.hash_blocks)
