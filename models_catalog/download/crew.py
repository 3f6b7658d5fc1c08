"""The connections to one source: as many as gain something, each fetching ranges until none is left."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from models_catalog.download.parts import Lease, Parts
from models_catalog.download.raw_file import Data
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.supply import SourceSlow, Supply
from models_catalog.sources.faults import SourceChanged, SourceCut, SourceFailed, SourceFault, SourceUnfit
from models_catalog.transfer.http_range import RangeAnswer, RangeRequest, open_range
from models_catalog.transfer.patience import Patience

# Twice as many connections have to bring so much more, or they are given up again.
_GAIN = 1.25
_HELD_BACK_SECONDS = 30.0
# Small reads are put together before they are written.
_WRITE_BYTES = 64 * 1024
_WRITE_SECONDS = 0.25
_VAIN_CUTS = 4
# A connection is judged by so many steps, and replaced when it brings less than this share of what the best one does.
_STRAGGLER_STEPS = 6
_STRAGGLER_SHARE = 0.2
# One connection for so much of a speed limit: each has to stay fast enough not to be taken for dead.
_CAP_PER_CONNECTION = 256 * 1024


class Sink(Protocol):
    """Where the bytes go."""

    def put(self, connection: int, offset: int, data: Data, source: str) -> None: ...
    async def settle(self, connection: int) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Order:
    """What all crews of a download have in common. sha256: None where no listing gives one.

    faster: given the source's speed, the name of a source that is several times as fast, else None; it may ask them.
    """

    client: Callable[[Supply], httpx.AsyncClient]
    parts: Parts
    sink: Sink
    size_bytes: int
    sha256: str | None
    patience: Patience
    cap: SpeedCap
    faster: Callable[[Supply, float], Awaitable[str | None]]


class Crew:
    """Use once: `run` returns when nothing is left to lend, and raises a SourceFault when the source cannot go on."""

    def __init__(self, order: Order, supply: Supply) -> None:
        self._order, self._supply = order, supply
        self._patience = order.patience
        self._numbers = itertools.count()
        self._workers: dict[asyncio.Task[None], int] = {}
        self._got_bytes = 0
        self._brought: Counter[int] = Counter()
        self._judged: dict[int, tuple[float, int]] = {}
        self._best_rate = 0.0
        self._target = 1
        self._samples: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._raised_from = 0.0
        self._steps_since_raise = 0
        self._hold_until = 0.0
        self._look: asyncio.Task[str | None] | None = None
        self._looked_at = time.monotonic()

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._workers)

    async def run(self) -> None:
        """See above. What arrived is written whatever happens."""
        try:
            self._staff()
            while self._workers:
                done, _ = await asyncio.wait(
                    self._workers, timeout=self._patience.adapt_seconds, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    del self._workers[task]
                    self._conclude(task)
                if time.monotonic() - self._samples[-1][0] >= self._patience.adapt_seconds * 0.9:
                    self._adapt()
                    self._replace_stragglers()
                    self._review()
                self._staff()
        finally:
            tasks: list[asyncio.Task[Any]] = [*self._workers, *([self._look] if self._look else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # ---- how many

    def _limit(self) -> int:
        """The most connections that make sense now."""
        supply, cap = self._supply, self._order.cap.bytes_per_second
        limit = 1 if supply.whole_only else min(supply.connections, self._patience.most_connections)
        return max(1, min(limit, int(cap // _CAP_PER_CONNECTION))) if cap > 0 else limit

    def _staff(self) -> None:
        self._target = min(self._target, self._limit())
        while len(self._workers) < self._target and self._order.parts.can_lend:
            number = next(self._numbers)
            self._workers[asyncio.ensure_future(self._work(number))] = number

    def _adapt(self) -> None:
        """Doubles the connections as long as that brings more, and takes the last doubling back when it did not."""
        now = time.monotonic()
        self._samples.append((now, self._got_bytes))
        while len(self._samples) > 2 and now - self._samples[0][0] > self._patience.review_seconds:
            self._samples.popleft()
        speed = self._speed(self._patience.adapt_seconds * 1.5)
        if self._raised_from:
            # The first step after a change is spent connecting.
            self._steps_since_raise += 1
            if self._steps_since_raise < 3:
                return
            if speed < self._raised_from * _GAIN:
                self._target = max(1, self._target // 2)
                self._hold_until = now + _HELD_BACK_SECONDS
                for task in sorted(self._workers, key=lambda one: self._workers[one])[self._target :]:
                    task.cancel()
            self._raised_from = 0.0
            return
        worth = self._order.parts.missing_bytes > 4 * self._target * self._patience.least_part_bytes
        if now >= self._hold_until and 2 * self._target <= self._limit() and worth and self._got_bytes:
            self._raised_from, self._steps_since_raise = max(1.0, speed), 0
            self._target *= 2

    def _replace_stragglers(self) -> None:
        """A connection that got stuck with a bad route is dropped, so that it does not hold up the end of the file."""
        if self._order.cap.bytes_per_second > 0 or self._supply.whole_only:
            return
        now, rates = time.monotonic(), {}
        for task, number in self._workers.items():
            since, bytes_then = self._judged.setdefault(number, (now, self._brought[number]))
            if now - since >= _STRAGGLER_STEPS * self._patience.adapt_seconds:
                rates[task] = (self._brought[number] - bytes_then) / (now - since)
                self._judged[number] = (now, self._brought[number])
        self._best_rate = max([0.95 * self._best_rate if rates else self._best_rate, *rates.values()])
        for task, rate in rates.items():
            if rate < _STRAGGLER_SHARE * self._best_rate:
                task.cancel()

    def _speed(self, seconds: float) -> float:
        """Bytes per second over about this time."""
        end_at, end_bytes = self._samples[-1]
        begin_at, begin_bytes = next((one for one in self._samples if end_at - one[0] <= seconds), self._samples[0])
        if begin_at == end_at:
            begin_at, begin_bytes = self._samples[-2] if len(self._samples) > 1 else (end_at - 1, end_bytes)
        return (end_bytes - begin_bytes) / max(1e-6, end_at - begin_at)

    def _review(self) -> None:
        """Raises SourceSlow when another source would be several times as fast. The speed limit is nobody's fault."""
        now = time.monotonic()
        if self._look is not None:
            if self._look.done():
                faster, self._look = self._look.result(), None
                if faster is not None:
                    raise SourceSlow(f"much slower than {faster}", kind="slow")
            return
        if self._order.cap.bytes_per_second > 0 or now - self._looked_at < self._patience.review_seconds:
            return
        self._looked_at = now
        speed = self._speed(self._patience.review_seconds)
        self._look = asyncio.ensure_future(self._order.faster(self._supply, speed))

    # ---- one connection

    def _lease(self) -> Lease | None:
        parts, patience = self._order.parts, self._patience
        if self._supply.whole_only:
            return parts.lease_rest()
        speed = self._speed(self._patience.review_seconds) / max(1, len(self._workers))
        speed = speed or self._supply.measured_bytes_per_second or 0.0
        most = int(min(patience.most_lease_bytes, max(patience.least_lease_bytes, speed * patience.lease_seconds)))
        return parts.lease(most)

    def _conclude(self, task: asyncio.Task[None]) -> None:
        """A connection that fails beside others that work was one too many; the last one speaks for the source."""
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if not isinstance(error, SourceFault) or isinstance(error, SourceChanged) or not self._workers:
            raise error
        self._target, self._raised_from = len(self._workers), 0.0
        self._hold_until = time.monotonic() + _HELD_BACK_SECONDS
        if isinstance(error, SourceUnfit) or (isinstance(error, SourceFailed) and error.rest_seconds):
            self._supply.connections = self._target

    async def _work(self, number: int) -> None:
        vain = 0
        while (lease := self._lease()) is not None:
            before = lease.position
            try:
                await self._pull(number, lease)
            except SourceCut as cut:
                vain = 0 if lease.position - before >= self._patience.stall_bytes else vain + 1
                if vain >= _VAIN_CUTS:
                    raise SourceFailed(cut.detail, kind="cut") from cut
                if vain:
                    rounds = self._patience.rounds_seconds
                    await asyncio.sleep(rounds[min(vain - 1, len(rounds) - 1)] * random.uniform(0.5, 1.0))
            finally:
                self._order.parts.release(lease)

    async def _pull(self, number: int, lease: Lease) -> None:
        """One request; raises a SourceFault. Returns early when the lease was shortened."""
        order, supply = self._order, self._supply
        request = RangeRequest(
            url=supply.whole_file.url,
            headers=supply.whole_file.headers,
            start=lease.position,
            end=lease.end,
            total_bytes=order.size_bytes,
            sha256=order.sha256,
            etag=supply.etag,
        )
        async with open_range(order.client(supply), request, self._patience) as answer:
            self._greet(answer, lease)
            if not answer.resumable and not supply.whole_only:
                supply.whole_only = True
                raise SourceCut("cannot begin in the middle of the file")
            buffer, flushed_at = bytearray(), time.monotonic()
            position = lease.position

            def flush() -> None:
                nonlocal position
                if buffer:
                    order.sink.put(number, position, bytes(buffer), supply.name)
                    position += len(buffer)
                    buffer.clear()

            try:
                async with contextlib.aclosing(answer.chunks()) as chunks:
                    async for chunk in chunks:
                        own = order.parts.advance(lease, len(chunk))
                        useful = chunk[:own] if own < len(chunk) else chunk
                        if not buffer and own >= _WRITE_BYTES:
                            order.sink.put(number, position, useful, supply.name)
                            position += own
                        else:
                            buffer += useful
                        self._got_bytes += own
                        self._brought[number] += own
                        now = time.monotonic()
                        if not buffer or len(buffer) >= _WRITE_BYTES or now - flushed_at >= _WRITE_SECONDS:
                            flush()
                            flushed_at = now
                            supply.delivered()
                            await order.sink.settle(number)
                        await order.cap.take(len(chunk))
                        if not lease.left_bytes:
                            return
            finally:
                flush()

    def _greet(self, answer: RangeAnswer, lease: Lease) -> None:
        supply = self._supply
        supply.answered = True
        supply.etag = supply.etag or answer.etag
        if answer.total_bytes is not None and answer.total_bytes < lease.end:
            raise SourceUnfit(
                f"has a file of {answer.total_bytes} bytes, not {self._order.size_bytes}", kind="other_file"
            )
