"""The plan of one step: what happens to the cache first, and which rows the decode call then holds."""

from __future__ import annotations

from array import array
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove the whole sequence."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Trim:
    """Remove every token of the sequence from position `length` on."""

    sequence: int
    length: int


@dataclass(frozen=True, slots=True)
class Fork:
    """The empty `target` shares the first `length` tokens of `source`."""

    source: int
    target: int
    length: int


@dataclass(frozen=True, slots=True)
class Save:
    """Copy the sequence's state to memory under the request's name, then remove the sequence."""

    sequence: int
    request_id: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring a saved state back into the empty sequence and forget the copy."""

    sequence: int
    request_id: str


CacheAction = Drop | Trim | Fork | Save | Restore


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive tokens of one sequence in a decode call. `output`: logits are wanted after its last token."""

    request_id: str
    sequence: int
    start: int
    tokens: array[int]
    output: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that starts with this step, and how much of its prompt is held already."""

    request_id: str
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step. An empty plan (no segments) means: nothing can run."""

    actions: tuple[CacheAction, ...]
    segments: tuple[Segment, ...]
    admitted: tuple[Admission, ...]

    @property
    def decode_rows(self) -> int:
        return sum(1 for segment in self.segments if len(segment.tokens) == 1)

    @property
    def chunk_tokens(self) -> int:
        return sum(len(segment.tokens) for segment in self.segments if len(segment.tokens) > 1)
