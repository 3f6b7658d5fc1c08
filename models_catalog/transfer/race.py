"""Which source first: all are tried side by side on a short range, and handed out fastest first."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx

from models_catalog.sources.byte_source import ByteSource, WholeFile, ZippedPieces
from models_catalog.sources.faults import SourceFailed, SourceFault
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.patience import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A source that answered. resumable: it can begin in the middle of the file."""

    source: ByteSource
    bytes_per_second: float
    resumable: bool


class Race:
    """One trial of several sources, by name. Use as an async context; leaving it stops the trials still running."""

    def __init__(self, trials: Mapping[str, Callable[[], Awaitable[Runner]]], *, grace_seconds: float) -> None:
        """The trials start in `__aenter__`."""
        self._trials = trials
        self._grace_seconds = grace_seconds
        self._running: dict[asyncio.Task[Runner], str] = {}
        self._finished: list[Runner] = []
        self.faults: dict[str, SourceFault] = {}

    async def __aenter__(self) -> Race:
        """Starts every trial at once."""
        for name, trial in self._trials.items():
            self._running[asyncio.ensure_future(trial())] = name
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops what still runs."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def runners(self) -> AsyncGenerator[Runner, None]:
        """The sources that answered, the fastest first; one that answers late comes when the others are used up."""
        grace_until: float | None = None
        while self._running or self._finished:
            now = time.monotonic()
            if self._finished and grace_until is None:
                grace_until = now + self._grace_seconds
            if self._running and (grace_until is None or now < grace_until or not self._finished):
                # Before the first answer there is no limit here: every trial has its own.
                wait_seconds = grace_until - now if grace_until is not None and self._finished else None
                await self._collect(wait_seconds)
                continue
            self._finished.sort(key=lambda runner: (runner.resumable, runner.bytes_per_second))
            yield self._finished.pop()
            await self._collect(0)

    async def _collect(self, wait_seconds: float | None) -> None:
        if not self._running:
            return
        done, _ = await asyncio.wait(self._running, timeout=wait_seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            name = self._running.pop(task)
            try:
                self._finished.append(task.result())
            except SourceFault as fault:
                self.faults[name] = fault


async def try_source(
    client: httpx.AsyncClient,
    source: ByteSource,
    *,
    wanted: tuple[int, int],
    size_bytes: int,
    sha256: str | None,
    patience: Patience,
) -> Runner:
    """Reads a short range at the first missing byte and measures it; raises a SourceFault."""
    request = _probe_request(source, wanted, size_bytes=size_bytes, sha256=sha256, probe_bytes=patience.probe_bytes)
    started, received, resumable = time.monotonic(), 0, False
    try:
        async with asyncio.timeout(patience.connect_seconds + patience.stall_seconds):
            async with open_range(client, request, patience) as answer:
                resumable = answer.resumable
                if request.start and not resumable:
                    return Runner(source=source, bytes_per_second=0.0, resumable=False)
                async with contextlib.aclosing(answer.chunks()) as chunks:
                    async for chunk in chunks:
                        received += len(chunk)
    except TimeoutError as error:
        if not received:
            raise SourceFailed("no byte came for too long", kind="silent") from error
    elapsed_seconds = max(1e-6, time.monotonic() - started)
    return Runner(source=source, bytes_per_second=received / elapsed_seconds, resumable=resumable)


def _probe_request(
    source: ByteSource, wanted: tuple[int, int], *, size_bytes: int, sha256: str | None, probe_bytes: int
) -> RangeRequest:
    start, end = wanted
    match source:
        case WholeFile():
            return RangeRequest(
                url=source.url,
                headers=source.headers,
                start=start,
                end=min(end, start + probe_bytes),
                total_bytes=size_bytes,
                sha256=sha256,
            )
        case ZippedPieces():
            piece = next(piece for piece in source.pieces if piece.start <= start < piece.end)
            return RangeRequest(url=piece.url, start=0, end=probe_bytes)
