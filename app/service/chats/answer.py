"""One answer while it is being written: its text so far and what it costs."""

from __future__ import annotations

import time
from typing import Any

from app.values import ErrorBody, MessageState, MessageStats
from inference.values import FinishReason
from inference.worker.messages import Admitted, Delta, Finished

_STATES: dict[FinishReason, MessageState] = {"stop": "complete", "length": "length", "cancelled": "stopped"}


class Answer:
    """Collects what the engine says. Offsets count characters of the whole message, also of what it had before."""

    def __init__(self, chat_id: str, message_id: str, text: str = "", reasoning: str = "") -> None:
        self.chat_id = chat_id
        self.message_id = message_id
        self.text = text
        self.reasoning = reasoning
        self.saved_characters = len(text) + len(reasoning)
        self.state: MessageState = "interrupted"  # until the engine says how it ended
        self.error: ErrorBody | None = None
        self.ended = False
        self._admitted: Admitted | None = None
        self._finished: Finished | None = None
        self._tokens = 0
        self._began = time.monotonic()
        self._first_token: float | None = None
        self._last_token = 0.0

    @property
    def unsaved(self) -> bool:
        """There is more text than what the database has."""
        return len(self.text) + len(self.reasoning) != self.saved_characters

    @property
    def empty(self) -> bool:
        """Nothing has been written, now or before."""
        return not self.text and not self.reasoning

    def take(self, event: Admitted | Delta | Finished) -> dict[str, Any] | None:
        """Add what the engine said; returns the data of a "delta" event when there is new text."""
        if isinstance(event, Admitted):
            self._admitted = self._admitted or event
            return None
        if isinstance(event, Finished):
            self._finished = event
            self.state = _STATES[event.reason]
            return None
        self._last_token = time.monotonic()
        self._first_token = self._first_token or self._last_token
        self._tokens += len(event.token_ids)
        if not event.text and not event.reasoning:
            return None
        delta = {
            "chat_id": self.chat_id,
            "message_id": self.message_id,
            "offset": len(self.text),
            "text": event.text,
            "reasoning_offset": len(self.reasoning),
            "reasoning": event.reasoning,
        }
        self.text += event.text
        self.reasoning += event.reasoning
        return delta

    def stats(self) -> MessageStats | None:
        """What it has cost so far; None before the engine took it on."""
        if self._admitted is None:
            return None
        tokens = self._finished.usage.completion_tokens if self._finished else self._tokens
        cached = self._finished.usage.cached_tokens if self._finished else self._admitted.cached_tokens
        writing_seconds = self._last_token - self._first_token if self._first_token else 0.0
        return MessageStats(
            prompt_tokens=self._admitted.prompt_tokens,
            completion_tokens=tokens,
            cached_tokens=cached,
            first_token_seconds=self._first_token - self._began if self._first_token else 0.0,
            tokens_per_second=(tokens - 1) / writing_seconds if tokens > 1 and writing_seconds > 0 else 0.0,
            seed=self._admitted.seed,
        )
