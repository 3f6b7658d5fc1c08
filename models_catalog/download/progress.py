"""Where a running download notes what it does, and what it makes of it for people: smooth speed and remaining time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from models_catalog.download.values import DownloadProgress

State = Literal["choosing_source", "transferring", "waiting", "verifying", "repairing"]
_REPORT_SECONDS = 0.25
# Before so much time has gone by a remaining time would only be a guess.
_FIRST_ESTIMATE_SECONDS = 1.5


@dataclass
class SmoothSpeed:
    """Bytes per second, each second counting less the longer ago it is: by half every three."""

    half_life_seconds: float = 3.0
    _value: float = 0.0
    _weight: float = 0.0
    _last: tuple[float, int] | None = None

    def sample(self, now_seconds: float, received_bytes: int) -> float:
        """Takes one sample; a count that went down (bytes that proved wrong) is only a new beginning."""
        last, self._last = self._last, (now_seconds, received_bytes)
        if last is not None and now_seconds > last[0] and received_bytes >= last[1]:
            elapsed = now_seconds - last[0]
            kept = math.exp2(-elapsed / self.half_life_seconds)
            self._value = self._value * kept + (received_bytes - last[1]) / elapsed * (1 - kept)
            self._weight = self._weight * kept + (1 - kept)
        return self._value / self._weight if self._weight else 0.0

    def pause(self) -> None:
        """Time that now goes by is not the line's fault."""
        self._last = None


class Board:
    """For the download's thread, except `verifying`. received: asks how much of all files is there."""

    def __init__(self, sink: Callable[[DownloadProgress], None], received: Callable[[], int]) -> None:
        self._sink, self._received = sink, received
        self.total_bytes = 0
        self.total_unknown = False
        self._speed = SmoothSpeed()
        self._state: State = "choosing_source"
        self._source = ""
        self._connections: Callable[[], int] = lambda: 0
        self._packed_bytes: Callable[[], int] = lambda: 0
        self._checked_bytes = 0
        self._reported_at = self._began_at = 0.0

    def choosing(self) -> None:
        """Sources are being tried."""
        self._enter("choosing_source")

    def transferring(
        self, source: str, connections: Callable[[], int], *, packed_bytes: Callable[[], int] = lambda: 0
    ) -> None:
        """Bytes come from this source now. packed_bytes: asks how many more of a file's bytes lie in archives."""
        self._source, self._connections, self._packed_bytes = source, connections, packed_bytes
        self._began_at = self._began_at or time.monotonic()
        self._enter("transferring")

    def waiting(self, seconds: float) -> None:
        """No source can be asked for so long."""
        self._enter("waiting")

    def verifying(self, checked_bytes: int) -> None:
        """The hash has been computed so far; may be called by the hashing thread."""
        self._checked_bytes, self._state = checked_bytes, "verifying"

    def repairing(self) -> None:
        """The hash was wrong: what is wrong is looked for."""
        self._enter("repairing")

    def report(self, *, at_least_every_seconds: float = _REPORT_SECONDS) -> None:
        """Hands the present state on if the last time is long enough ago."""
        now = time.monotonic()
        if now - self._reported_at >= at_least_every_seconds:
            self._reported_at = now
            self._sink(self._value(now))

    def _enter(self, state: State) -> None:
        if state != self._state:
            self._speed.pause()
        self._state = state
        self.report(at_least_every_seconds=0)

    def _value(self, now: float) -> DownloadProgress:
        received = self._received() + self._packed_bytes()
        moving = self._state in ("transferring", "repairing")
        speed = self._speed.sample(now, received) if moving else 0.0
        early = now - self._began_at < _FIRST_ESTIMATE_SECONDS
        total_bytes = 0 if self.total_unknown else self.total_bytes
        known = moving and speed > 0 and not early and not self.total_unknown
        return DownloadProgress(
            state=self._state,
            received_bytes=received,
            total_bytes=total_bytes,
            bytes_per_second=speed,
            remaining_seconds=(total_bytes - received) / speed if known else None,
            source=self._source if moving else "",
            connections=self._connections() if moving else 0,
            checked_bytes=self._checked_bytes if self._state == "verifying" else 0,
        )
