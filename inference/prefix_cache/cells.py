"""Counts the cells of a unified KV cache, in which sequences share the cells of a common prefix.

A tree of runs mirrors what llama.cpp does: `fork` shares cells (llama_memory_seq_cp copies nothing), `extend` adds
private ones, and a cell is free again when the last sequence that owns it is trimmed or dropped.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Run:
    """Consecutive cells owned by the same sequences. `children` counts the runs and sequence ends that hang below."""

    start: int
    length: int
    parent: _Run | None
    children: int

    @property
    def end(self) -> int:
        return self.start + self.length


class CellTree:
    """Mutable; owned by the scheduler. Sequence ids are small integers; an unknown one is an empty sequence."""

    def __init__(self) -> None:
        self._ends: dict[int, _Run] = {}
        self.used = 0

    def length(self, sequence: int) -> int:
        """Tokens whose state the sequence holds."""
        run = self._ends.get(sequence)
        return run.end if run is not None else 0

    def private(self, sequence: int) -> int:
        """Cells that would become free if the sequence were dropped."""
        total = 0
        run = self._ends.get(sequence)
        while run is not None and run.children == 1:
            total += run.length
            run = run.parent
        return total

    def extend(self, sequence: int, count: int) -> None:
        """`count` new tokens were decoded at the end of the sequence."""
        if count <= 0:
            return
        end = self._ends.get(sequence)
        if end is None:
            self._ends[sequence] = _Run(start=0, length=count, parent=None, children=1)
        elif end.children == 1:
            end.length += count
        else:
            # The run stays shared with the others; this sequence's end moves from it to a run of its own.
            self._ends[sequence] = _Run(start=end.end, length=count, parent=end, children=1)
        self.used += count

    def fork(self, source: int, target: int, length: int) -> None:
        """`target` (empty) shares the first `length` cells of `source`."""
        if self.length(target) or not 0 < length <= self.length(source):
            raise ValueError(f"fork {source}->{target} at {length}")
        run = self._run_ending_at(self._ends[source], length)
        run.children += 1
        self._ends[target] = run

    def trim(self, sequence: int, length: int) -> None:
        """The sequence gives up every cell from position `length` on."""
        if length <= 0:
            self.drop(sequence)
            return
        if length >= self.length(sequence):
            return
        run = self._run_ending_at(self._ends[sequence], length)
        run.children += 1
        self._release(self._ends[sequence])
        self._ends[sequence] = run

    def drop(self, sequence: int) -> None:
        """The sequence gives up all of its cells."""
        end = self._ends.pop(sequence, None)
        if end is not None:
            self._release(end)

    def _release(self, run: _Run | None) -> None:
        """One thing less hangs below `run`; runs under which nothing hangs any more are freed."""
        while run is not None:
            run.children -= 1
            if run.children:
                return
            self.used -= run.length
            run = run.parent

    @staticmethod
    def _run_ending_at(run: _Run, position: int) -> _Run:
        """The ancestor-or-self of `run` that ends at `position`, splitting one in two where none does."""
        while run.start >= position:
            assert run.parent is not None
            run = run.parent
        if run.end > position:
            upper = _Run(start=run.start, length=position - run.start, parent=run.parent, children=1)
            run.start, run.length, run.parent = position, run.end - position, upper
            return upper
        return run
