"""The service's events, read by a thread of its own into a queue, over broken connections."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from app.errors import AppError
from app.values import Event

if TYPE_CHECKING:
    from app.client.http import ServiceClient

RETRY_SECONDS = 0.5


class EventFeed:
    """Starts reading at once. `close` ends the thread soon; being a daemon it never holds the program up."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._closed = threading.Event()
        threading.Thread(target=self._read, name="events", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def next(self, timeout_seconds: float) -> Event | None:
        """The next event, or None when none came in time: then ask the service itself how things are."""
        try:
            return self._events.get(timeout=timeout_seconds)
        except queue.Empty:
            return None

    def _read(self) -> None:
        last: int | None = None
        while not self._closed.is_set():
            try:
                for event in self._client.events(after=last):
                    last = event.number
                    if self._closed.is_set():
                        return
                    if event.kind in ("delta", "message", "plan_changed"):
                        self._events.put(event)
            except AppError:
                last = None  # numbers begin anew with a new service
            self._closed.wait(RETRY_SECONDS)
