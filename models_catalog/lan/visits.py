"""How much one address, and all together, may ask of this computer. Pure: the clock is the caller's."""

from __future__ import annotations

from collections import Counter, deque

MOST_CONNECTIONS = 48
MOST_CONNECTIONS_EACH = 16
_WINDOW_SECONDS = 60.0
_REQUESTS_EACH = 1_200
_REFUSALS_EACH = 10
_MOST_ADDRESSES = 1_024


class Visits:
    """Who is here, and who asked how often in the last minute."""

    def __init__(self) -> None:
        self._here: Counter[str] = Counter()
        self._asked: dict[str, deque[float]] = {}
        self._refused: dict[str, deque[float]] = {}

    def enter(self, address: str, now: float) -> bool:
        """Whether one more connection from there is taken; then `leave` has to be called."""
        full = self._here.total() >= MOST_CONNECTIONS or self._here[address] >= MOST_CONNECTIONS_EACH
        if full or _count(self._refused, address, now) >= _REFUSALS_EACH:
            return False
        self._here[address] += 1
        return True

    def leave(self, address: str) -> None:
        """A connection that was taken ended."""
        self._here[address] -= 1
        if not self._here[address]:
            del self._here[address]

    def may_ask(self, address: str, now: float) -> bool:
        """Counts a request; whether it is one of those that are answered."""
        _note(self._asked, address, now)
        return _count(self._asked, address, now) <= _REQUESTS_EACH

    def refused(self, address: str, now: float) -> None:
        """Somebody there did not know the code, or asked for what there is not to ask for."""
        _note(self._refused, address, now)


def _note(times: dict[str, deque[float]], address: str, now: float) -> None:
    if address not in times and len(times) >= _MOST_ADDRESSES:
        times.pop(next(iter(times)))
    times.setdefault(address, deque(maxlen=_REQUESTS_EACH + 1)).append(now)


def _count(times: dict[str, deque[float]], address: str, now: float) -> int:
    found = times.get(address)
    while found and found[0] < now - _WINDOW_SECONDS:
        found.popleft()
    return len(found or ())
