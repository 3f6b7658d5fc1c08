"""A request as the scheduler sees it: tokens, phase and the sequence that holds its state."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import Enum


class Phase(Enum):
    """Waiting: not admitted. Running: has a sequence. Preempted: its state was saved and its cells given back."""

    WAITING = "waiting"
    RUNNING = "running"
    PREEMPTED = "preempted"


@dataclass(slots=True)
class ScheduledRequest:
    """Mutable; owned by the scheduler.

    tokens: the prompt and every token generated so far. computed: how many of them have their state in the cache
    (or in the saved state). order: place in the line. waited_steps: for ageing.
    """

    request_id: str
    tokens: array[int]
    prompt_tokens: int
    max_tokens: int
    interactive: bool
    order: int
    phase: Phase = Phase.WAITING
    sequence: int = -1
    computed: int = 0
    cached_tokens: int = 0
    waited_steps: int = field(default=0)

    @property
    def pending(self) -> int:
        """Tokens still to be decoded; 1 while generating."""
        return len(self.tokens) - self.computed

    @property
    def generated(self) -> int:
        return len(self.tokens) - self.prompt_tokens

    @property
    def decoding(self) -> bool:
        """True when the next row of this request is a single generated token."""
        return self.pending == 1 and self.generated > 0
