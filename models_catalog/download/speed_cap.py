"""A speed limit that all connections share: a bucket that fills with time and is emptied by what arrives."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

# So many seconds' worth may arrive at once after a pause.
_BURST_SECONDS = 0.25


class SpeedCap:
    """May be shared by threads and event loops. 0 bytes per second: no limit."""

    def __init__(self, bytes_per_second: float = 0.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mutex = threading.Lock()
        self._rate = bytes_per_second
        self._owed_until = clock()

    @property
    def bytes_per_second(self) -> float:
        """The limit now."""
        return self._rate

    def set(self, bytes_per_second: float) -> None:
        """Another limit, from the next bytes on; what was owed to the former one is forgotten."""
        with self._mutex:
            self._rate, self._owed_until = bytes_per_second, self._clock()

    def owe(self, count: int) -> float:
        """Notes that `count` bytes arrived; returns the seconds to wait before taking more."""
        with self._mutex:
            if self._rate <= 0:
                return 0.0
            now = self._clock()
            self._owed_until = max(self._owed_until, now - _BURST_SECONDS) + count / self._rate
            return max(0.0, self._owed_until - now)

    async def take(self, count: int) -> None:
        """Waits as long as the limit wants after `count` bytes; a limit that is lifted meanwhile is noticed soon."""
        wait_seconds, rate = self.owe(count), self._rate
        while wait_seconds > 0 and self._rate == rate:
            step = min(wait_seconds, 0.5)
            await asyncio.sleep(step)
            wait_seconds -= step
