"""Follows all answers of a service by its event stream, and waits for what becomes of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from app.client.events import Delta, read_event
from app.client.http import ServiceClient
from app.errors import ServiceUnreachable
from app.values import ChatMessage, Event


class TooLate(Exception):
    """What was waited for did not come in time; the message says what it was."""


@dataclass(slots=True)
class WatchedAnswer:
    """What has been seen of one answer. first_at: seconds of `time.perf_counter`, 0 before there is text."""

    text: str = ""
    state: str = "streaming"
    first_at: float = 0.0


class WatchedAnswers:
    """Reads the service's events in a thread, from now until the service ends."""

    def __init__(self, client: ServiceClient) -> None:
        self._changed = threading.Condition()
        self._answers: dict[str, WatchedAnswer] = {}
        events = client.events()
        threading.Thread(target=self._follow, args=(events,), name="bench-events", daemon=True).start()

    def seen(self, message_id: str) -> WatchedAnswer:
        """A copy of what is known now."""
        with self._changed:
            answer = self._answers.get(message_id, WatchedAnswer())
            return WatchedAnswer(text=answer.text, state=answer.state, first_at=answer.first_at)

    def wait_for_text(self, message_ids: Iterable[str], characters: int, seconds: float) -> None:
        """Until each has so much text or has ended. Raises TooLate."""
        self._wait(message_ids, lambda one: len(one.text) >= characters or one.state != "streaming", seconds, "text")

    def wait_for_end(self, message_ids: Iterable[str], seconds: float) -> None:
        """Until each has ended, in whatever way. Raises TooLate."""
        self._wait(message_ids, lambda one: one.state != "streaming", seconds, "an end")

    def _wait(
        self, message_ids: Iterable[str], enough: Callable[[WatchedAnswer], bool], seconds: float, what: str
    ) -> None:
        wanted = tuple(message_ids)

        def all_enough() -> bool:
            return all(message_id in self._answers and enough(self._answers[message_id]) for message_id in wanted)

        with self._changed:
            if not self._changed.wait_for(all_enough, timeout=seconds):
                raise TooLate(f"{what} of an answer within {seconds:g} s")

    def _follow(self, events: Iterator[Event]) -> None:
        with suppress(ServiceUnreachable):
            for event in events:
                happening = read_event(event)
                with self._changed:
                    if isinstance(happening, Delta):
                        self._on_delta(happening, time.perf_counter())
                    elif isinstance(happening, ChatMessage) and happening.role == "assistant":
                        answer = self._answers.setdefault(happening.id, WatchedAnswer())
                        answer.state = happening.state
                    self._changed.notify_all()

    def _on_delta(self, delta: Delta, now: float) -> None:
        answer = self._answers.setdefault(delta.message_id, WatchedAnswer())
        answer.text = answer.text[: delta.offset] + delta.text
        answer.first_at = answer.first_at or now
