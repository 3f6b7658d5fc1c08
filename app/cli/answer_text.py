"""One answer put together from the service's events, so that no part is shown twice and none is missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.values import ChatMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is new since the last piece."""

    text: str = ""
    reasoning: str = ""


class AnswerText:
    """Counts what was given out already; characters, as the events do."""

    def __init__(self) -> None:
        self._text = 0
        self._reasoning = 0

    def add_delta(self, data: Mapping[str, Any]) -> Piece | None:
        """The new part of a "delta" event's data; None when something before it was missed."""
        if data["offset"] > self._text or data["reasoning_offset"] > self._reasoning:
            return None
        return self._advance(
            data["text"][self._text - data["offset"] :], data["reasoning"][self._reasoning - data["reasoning_offset"] :]
        )

    def catch_up(self, message: ChatMessage) -> Piece:
        """The new part of the whole answer so far."""
        return self._advance(message.text[self._text :], message.reasoning[self._reasoning :])

    def _advance(self, text: str, reasoning: str) -> Piece:
        self._text += len(text)
        self._reasoning += len(reasoning)
        return Piece(text=text, reasoning=reasoning)
