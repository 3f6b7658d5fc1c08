"""The service's one stream of events: numbered, kept for a while for late comers, bounded for slow readers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec

from app.values import Event

KEPT_BYTES = 4_000_000
KEPT_EVENTS = 4_000
# A reader that is further behind than this is cut off: it comes back and reads the chats anew.
BEHIND_BYTES = 8_000_000


class _Reader:
    """What one subscriber has not read yet."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.waiting_bytes = 0
        self.more = asyncio.Event()
        self.closed = False

    def put(self, frame: bytes) -> None:
        if self.waiting_bytes + len(frame) > BEHIND_BYTES:
            self.closed = True
            self.frames.clear()
        else:
            self.frames.append(frame)
            self.waiting_bytes += len(frame)
        self.more.set()


class EventBus:
    """Publishes events to every subscriber as ready-made SSE frames. Used from the service's loop only.

    Numbers begin at the clock's microseconds, so that they grow across restarts of the service too and an old
    `Last-Event-ID` is never mistaken for one of this run.
    """

    def __init__(self) -> None:
        self._number = time.time_ns() // 1000
        self._kept: deque[tuple[int, bytes]] = deque()
        self._kept_bytes = 0
        self._readers: set[_Reader] = set()
        self._closed = False
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def listen(self, kind: str, call: Callable[[], None]) -> None:
        """Call this, in the service itself, whenever an event of this kind is published. It must not raise."""
        self._listeners.setdefault(kind, []).append(call)

    def publish(self, kind: str, data: Any) -> None:
        """Send an event; `data` is one of `app.values` or a dict of JSON values. Never waits for readers."""
        for call in self._listeners.get(kind, ()):
            call()
        self._number += 1
        frame = _frame(self._number, kind, data)
        self._kept.append((self._number, frame))
        self._kept_bytes += len(frame)
        while self._kept_bytes > KEPT_BYTES or len(self._kept) > KEPT_EVENTS:
            self._kept_bytes -= len(self._kept.popleft()[1])
        for reader in self._readers:
            reader.put(frame)

    def close(self) -> None:
        """End every subscription once it has been read to its end."""
        self._closed = True
        for reader in self._readers:
            reader.closed = True
            reader.more.set()

    async def subscribe(self, after: int | None, heartbeat_seconds: float) -> AsyncGenerator[bytes, None]:
        """SSE frames of all events from now on, or from the one after number `after`, and a comment when all is quiet.

        When events after `after` are no longer kept the first one is a "gap": the reader has to fetch everything anew.
        """
        reader = _Reader()
        for frame in self._missed(after):
            reader.put(frame)
        reader.closed = reader.closed or self._closed
        self._readers.add(reader)
        try:
            yield b": hello\n\n"
            while True:
                while reader.frames:
                    frame = reader.frames.popleft()
                    reader.waiting_bytes -= len(frame)
                    yield frame
                if reader.closed:
                    return
                reader.more.clear()
                try:
                    async with asyncio.timeout(heartbeat_seconds):
                        await reader.more.wait()
                except TimeoutError:
                    yield b": quiet\n\n"
        finally:
            self._readers.discard(reader)

    def _missed(self, after: int | None) -> list[bytes]:
        if after is None or after == self._number:
            return []
        oldest = self._kept[0][0] if self._kept else self._number + 1
        if not oldest - 1 <= after <= self._number:
            return [_frame(self._number, "gap", {})]
        return [frame for number, frame in self._kept if number > after]


def _frame(number: int, kind: str, data: Any) -> bytes:
    event = Event(number=number, kind=kind, data=msgspec.to_builtins(data))
    return b"id: %d\ndata: %b\n\n" % (number, msgspec.json.encode(event))
