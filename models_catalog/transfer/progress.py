"""What a download is doing, as values, and the one place that collects it while it runs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from models_catalog.transfer.extents import Extent, covered_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosingSource:
    """The sources are being tried side by side."""

    received_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferring:
    """Bytes arrive from `source`. received_bytes counts what is in the file and what has arrived packed for it."""

    received_bytes: int
    total_bytes: int
    bytes_per_second: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingToRetry:
    """No source works at the moment, or they asked for a pause; they are tried again in `seconds`."""

    received_bytes: int
    total_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying:
    """Everything is here; the hash is being computed. checked_bytes: how far it got."""

    received_bytes: int
    total_bytes: int
    checked_bytes: int


FetchProgress = ChoosingSource | Transferring | WaitingToRetry | Verifying


def arrived_bytes(extents: tuple[Extent, ...], total_bytes: int, packed: Mapping[tuple[int, int], int]) -> int:
    """Bytes of the file that are there or have arrived packed; packed: how many of each range lie in an archive."""
    in_file = covered_bytes(extents, 0, total_bytes)
    return in_file + sum(max(0, count - covered_bytes(extents, *where)) for where, count in packed.items())


@dataclass
class SpeedMeter:
    """Bytes per second over the last few seconds, from samples of how much there is."""

    window_seconds: float = 4.0
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def sample(self, now_seconds: float, received_bytes: int) -> float:
        """Takes one sample and gives the speed; a count that went down (bad bytes thrown away) starts anew."""
        if self._samples and received_bytes < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now_seconds, received_bytes))
        while len(self._samples) > 2 and now_seconds - self._samples[0][0] > self.window_seconds:
            self._samples.popleft()
        begin_seconds, begin_bytes = self._samples[0]
        elapsed = now_seconds - begin_seconds
        return (received_bytes - begin_bytes) / elapsed if elapsed > 0 else 0.0


class ProgressBoard:
    """Where the running download notes what it does; `report` hands a value on a few times a second."""

    def __init__(
        self, sink: Callable[[FetchProgress], None], extents: Callable[[], tuple[Extent, ...]], total_bytes: int
    ) -> None:
        """extents: asks what of the file is there."""
        self._sink = sink
        self._extents = extents
        self._total_bytes = total_bytes
        self._meter = SpeedMeter()
        self._state = "choosing"
        self._source = ""
        self._retry_at = 0.0
        self._checked_bytes = 0
        self._reported_at = 0.0
        self._packed: dict[tuple[int, int], int] = {}

    def choosing(self) -> None:
        """The sources are being tried."""
        self._enter("choosing")

    def transferring(self, source: str) -> None:
        """Bytes come from this source now."""
        self._source = source
        self._enter("transferring")

    def waiting(self, seconds: float) -> None:
        """Nothing happens for so long."""
        self._retry_at = time.monotonic() + seconds
        self._enter("waiting")

    def verifying(self, checked_bytes: int) -> None:
        """The hash has been computed this far. May be called from the hashing thread."""
        self._checked_bytes = checked_bytes
        self._state = "verifying"

    def packed(self, start: int, end: int, share: float) -> None:
        """This share (0..1) of the range [start, end) has arrived in an archive that is not unpacked yet."""
        self._packed[start, end] = int((end - start) * share)

    def unpacked(self, start: int, end: int) -> None:
        """The archive of this range is gone: what is in the file counts."""
        self._packed.pop((start, end), None)

    def report(self, *, at_least_every_seconds: float = 0.2) -> None:
        """Hands the present state on if the last time is long enough ago."""
        now = time.monotonic()
        if now - self._reported_at >= at_least_every_seconds:
            self._reported_at = now
            self._sink(self._value(now))

    def _enter(self, state: str) -> None:
        self._state = state
        self.report(at_least_every_seconds=0)

    def _value(self, now_seconds: float) -> FetchProgress:
        received = arrived_bytes(self._extents(), self._total_bytes, self._packed)
        speed = self._meter.sample(now_seconds, received)
        if self._state == "choosing":
            return ChoosingSource(received_bytes=received, total_bytes=self._total_bytes)
        if self._state == "waiting":
            left = max(0.0, self._retry_at - now_seconds)
            return WaitingToRetry(received_bytes=received, total_bytes=self._total_bytes, seconds=left)
        if self._state == "verifying":
            return Verifying(received_bytes=received, total_bytes=self._total_bytes, checked_bytes=self._checked_bytes)
        return Transferring(
            received_bytes=received, total_bytes=self._total_bytes, bytes_per_second=speed, source=self._source
        )
