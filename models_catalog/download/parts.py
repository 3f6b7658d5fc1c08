"""Which connection fetches which bytes: ranges that are lent out, shortened for others, and given back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Lease:
    """The bytes from `position` up to `end` belong to one connection; both change only by the Parts that lent it."""

    start: int
    position: int
    end: int

    @property
    def left_bytes(self) -> int:
        """What is still to come."""
        return self.end - self.position


class Parts:
    """Every missing byte is at any time either free or in exactly one lease; one that arrived is in neither again."""

    def __init__(self, missing: Iterable[tuple[int, int]], *, least_bytes: int) -> None:
        """missing: half-open ranges, sorted and disjoint. least_bytes: no lease is divided into less."""
        self._free = [(start, end) for start, end in missing if start < end]
        self._lent: list[Lease] = []
        self._least_bytes = max(1, least_bytes)

    @property
    def missing_bytes(self) -> int:
        """All that has not arrived, lent or not."""
        return sum(end - start for start, end in self._free) + sum(lease.left_bytes for lease in self._lent)

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """The ranges that have not arrived, in order."""
        lent = [(lease.position, lease.end) for lease in self._lent if lease.left_bytes]
        return tuple(_joined(sorted([*self._free, *lent])))

    @property
    def can_lend(self) -> bool:
        """Whether `lease` would give something."""
        return bool(self._free) or any(lease.left_bytes >= 2 * self._least_bytes for lease in self._lent)

    def lease(self, most_bytes: int) -> Lease | None:
        """The first free range, at most so long; where none is free, the later half of the longest lease.

        None when everything is lent in pieces too short to divide, or has arrived.
        """
        if self._free:
            start, end = self._free[0]
            cut = end if end - start < max(1, most_bytes) + self._least_bytes else start + max(1, most_bytes)
            if cut == end:
                del self._free[0]
            else:
                self._free[0] = (cut, end)
            return self._lend(start, cut)
        longest = max(self._lent, key=lambda lease: lease.left_bytes, default=None)
        if longest is None or longest.left_bytes < 2 * self._least_bytes:
            return None
        middle, end = longest.position + longest.left_bytes // 2, longest.end
        longest.end = middle
        return self._lend(middle, end)

    def lease_rest(self) -> Lease | None:
        """Everything from the first free byte to the last: for a server that cannot begin in the middle.

        Bytes between that arrived already are part of it; nothing else may be lent meanwhile.
        """
        if not self._free or self._lent:
            return None
        start, end = self._free[0][0], self._free[-1][1]
        self._free.clear()
        return self._lend(start, end)

    def lease_within(self, start: int, end: int) -> tuple[Lease, ...]:
        """Every free byte from `start` up to `end`, as leases in order: for bytes that only come together."""
        inside = [(max(start, begin), min(end, stop)) for begin, stop in self._free]
        outside = [(begin, min(start, stop)) for begin, stop in self._free]
        outside += [(max(end, begin), stop) for begin, stop in self._free]
        self._free = sorted((begin, stop) for begin, stop in outside if begin < stop)
        return tuple(self._lend(begin, stop) for begin, stop in inside if begin < stop)

    def advance(self, lease: Lease, count: int) -> int:
        """`count` bytes arrived at the lease's position; returns how many of them are the lease's own."""
        own = max(0, min(count, lease.left_bytes))
        lease.position += own
        return own

    def release(self, lease: Lease) -> None:
        """The connection is done with it; what has not arrived is free again."""
        self._lent.remove(lease)
        if lease.left_bytes:
            self._free = _joined(sorted([*self._free, (lease.position, lease.end)]))

    def _lend(self, start: int, end: int) -> Lease:
        lease = Lease(start, start, end)
        self._lent.append(lease)
        return lease


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
