"""When a child that says nothing is to be taken for hung. Pure: times come from the caller, in seconds of one clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inference.worker.messages import Delta, Heartbeat, ToService


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the service waits for an engine child.

    While requests run, silence may last `silence_factor` times what the child announced, at least
    `least_silence_seconds`; before the first token of a new child `first_silence_seconds`, since drivers compile
    kernels then. `term_seconds`: from SIGTERM to SIGKILL. `end_seconds`: for an end that was asked for, or that the
    closed socket promises.
    """

    silence_factor: float = 10.0
    least_silence_seconds: float = 30.0
    first_silence_seconds: float = 120.0
    most_silence_seconds: float = 3600.0
    term_seconds: float = 5.0
    end_seconds: float = 5.0


class Silence:
    """How long the child has been silent, and how long it may be."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since_seconds = 0.0
        self._announced_seconds = 0.0
        self._has_spoken = False

    def begin(self, now_seconds: float) -> None:
        """Its silence counts from now on: it was idle until now, or was seen to be at work."""
        self._since_seconds = now_seconds

    def heard(self, message: ToService, now_seconds: float) -> None:
        """It said this. What a Heartbeat announces holds until the next message."""
        self._since_seconds = now_seconds
        self._announced_seconds = message.silent_for_seconds if isinstance(message, Heartbeat) else 0.0
        self._has_spoken = self._has_spoken or isinstance(message, Delta)

    def overdue_at_seconds(self) -> float:
        """The time from which on it is overdue."""
        patience = self._patience
        least = patience.least_silence_seconds if self._has_spoken else patience.first_silence_seconds
        expected = patience.silence_factor * self._announced_seconds
        allowed = min(max(expected, least), patience.most_silence_seconds) if math.isfinite(expected) else least
        return self._since_seconds + allowed
