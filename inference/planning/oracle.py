"""What the planner asks about a model; answered by the engine's dry run, by an estimate, or by a test's fake."""

from __future__ import annotations

from typing import Protocol

from inference.planning.values import GraphCost, Measured, Settings


class MeasureFailed(Exception):
    """The engine refuses these settings for this model (for example a quantized V cache without flash attention)."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Oracle(Protocol):
    """One model. Answers are remembered by the oracle: asking twice costs nothing."""

    def measure(self, settings: Settings) -> Measured:
        """Bytes by buffer, as the engine would allocate them. Raises MeasureFailed."""
        ...

    def graph(self, settings: Settings, tokens: int) -> GraphCost:
        """The work of one call of `tokens` tokens (1: decode) of one sequence. The placement is not looked at."""
        ...

    def close(self) -> None:
        """Free what it holds; not usable afterwards."""
        ...
