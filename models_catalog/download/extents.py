"""Which bytes of a file are there, and from whom: arithmetic on half-open ranges, always sorted and disjoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Extent:
    """Bytes from `start` up to `end` (not included), which `source` served."""

    start: int
    end: int
    source: str


def with_extent(extents: tuple[Extent, ...], new: Extent) -> tuple[Extent, ...]:
    """The extents after `new` was written: it replaces what it overlaps; neighbours of one source become one."""
    if new.start >= new.end:
        return extents
    pieces: list[Extent] = [new]
    for old in extents:
        if old.start < min(old.end, new.start):
            pieces.append(Extent(start=old.start, end=min(old.end, new.start), source=old.source))
        if max(old.start, new.end) < old.end:
            pieces.append(Extent(start=max(old.start, new.end), end=old.end, source=old.source))
    return _joined(sorted(pieces))


def _joined(pieces: Iterable[Extent]) -> tuple[Extent, ...]:
    joined: list[Extent] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last is not None and last.end == piece.start and last.source == piece.source:
            joined[-1] = Extent(start=last.start, end=piece.end, source=last.source)
        else:
            joined.append(piece)
    return tuple(joined)


def missing_ranges(extents: tuple[Extent, ...], start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The ranges inside [start, end) that no extent covers, in order."""
    gaps: list[tuple[int, int]] = []
    position = start
    for extent in extents:
        if extent.end <= position:
            continue
        if extent.start >= end:
            break
        if extent.start > position:
            gaps.append((position, extent.start))
        position = extent.end
    if position < end:
        gaps.append((position, end))
    return tuple(gaps)


def covered_bytes(extents: tuple[Extent, ...], start: int, end: int) -> int:
    """How many bytes inside [start, end) are there."""
    return (end - start) - sum(stop - begin for begin, stop in missing_ranges(extents, start, end))


def sound(extents: tuple[Extent, ...], size_bytes: int) -> bool:
    """True if the extents can be those of a file of this size: inside it, sorted, disjoint."""
    position = 0
    for extent in extents:
        if not position <= extent.start < extent.end <= size_bytes:
            return False
        position = extent.end
    return True
