"""A file whose server does not say how large it is: it comes in one piece, and its end is where the server says so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from models_catalog.disk import disk_errors, sync_folder
from models_catalog.download.progress import Board
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.supply import Supply
from models_catalog.errors import DiskTooSmall, FetchAlreadyRunning, NoSourceWorked, SizeUnknown
from models_catalog.folder_lock import FileLock, LockHeld
from models_catalog.sources.diagnosis import problem_of
from models_catalog.sources.faults import SourceFault, SourceUnfit
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.patience import Patience

# How often it is looked how much room is left.
_LOOK_SECONDS = 1.0


class UnsizedFile:
    """Owned by one download. What arrived of an unfinished one is worth nothing: nobody can tell where it belongs.

    size_bytes: what has arrived; the file's size once `fetch` has returned.
    """

    def __init__(self, target: Path, *, free_bytes: Callable[[Path], int], spare_bytes: int) -> None:
        """spare_bytes: never used of the disk. Raises FetchAlreadyRunning if another download has the file."""
        self.target = target
        self.size_bytes = 0
        self._closed = False
        self._free_bytes, self._spare_bytes = free_bytes, spare_bytes
        self._folder = target.parent / f".{target.name}.partial"
        with disk_errors(target.parent):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock = FileLock(self._folder / "lock")
            except LockHeld as error:
                raise FetchAlreadyRunning(path=str(target)) from error

    @property
    def received_bytes(self) -> int:
        """All that is known of the size."""
        return self.size_bytes

    async def fetch(
        self, supply: Supply, client: httpx.AsyncClient, *, board: Board, cap: SpeedCap, patience: Patience
    ) -> None:
        """From the beginning, and again when the connection breaks. Raises leaves of FetchFailed."""
        for pause_seconds in (*patience.rounds_seconds, None):
            board.transferring(supply.name, lambda: 1)
            try:
                return await self._pull(supply, client, cap, patience)
            except SourceFault as fault:
                if pause_seconds is None or isinstance(fault, SourceUnfit):
                    problem = problem_of(supply.name, fault)
                    raise NoSourceWorked(file=self.target.name, problems=(problem,)) from fault
                board.waiting(pause_seconds)
                await asyncio.sleep(pause_seconds)

    async def _pull(self, supply: Supply, client: httpx.AsyncClient, cap: SpeedCap, patience: Patience) -> None:
        self.size_bytes, looked_at = 0, time.monotonic()
        request = RangeRequest(url=supply.whole_file.url, headers=supply.whole_file.headers, start=0)
        with disk_errors(self.target.parent), (self._folder / "bytes").open("wb") as file:
            async with open_range(client, request, patience) as answer:
                if not answer.tells_its_end:
                    raise SizeUnknown(file=self.target.name)
                async with contextlib.aclosing(answer.chunks()) as chunks:
                    async for chunk in chunks:
                        file.write(chunk)
                        self.size_bytes += len(chunk)
                        if time.monotonic() - looked_at >= _LOOK_SECONDS:
                            looked_at = time.monotonic()
                            self._require_room()
                        await cap.take(len(chunk))
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())

    def _require_room(self) -> None:
        free = self._free_bytes(self._folder)
        if free < self._spare_bytes:
            raise DiskTooSmall(path=str(self.target.parent), needed_bytes=self._spare_bytes, free_bytes=free)

    def move_into_place(self) -> None:
        """The whole file appears under its name in one step."""
        with disk_errors(self.target.parent):
            (self._folder / "bytes").replace(self.target)
            sync_folder(self.target.parent)
        self.close()

    def close(self) -> None:
        """Lets others in; what arrived goes. May be called twice."""
        if not self._closed:
            self._closed = True
            self._lock.release(remove=True)
            shutil.rmtree(self._folder, ignore_errors=True)
