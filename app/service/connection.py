"""One HTTP connection, closed when its client dawdles: uvicorn itself would wait for ever for the end of a request."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
# A request that was answered before it was wholly sent (refused, too large) may be finished within this time.
LEFTOVER_SECONDS = 5.0
# Beyond what the kernel buffers, 64 KiB wait for a client to read; one that reads nothing for so long is cut off.
STALLED_SECONDS = 30.0
MAX_CONNECTIONS = 200
HEADER_BYTES = 32 * 1024


class PatientConnection(H11Protocol):
    """uvicorn's HTTP/1.1 connection with limits for everything that no application code waits for.

    Limits: the number of connections, the time for the headers of a request, for the rest of a request that was
    answered already, and for reading what is sent. Time for a body is limited by `guards.body`.
    """

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
            return
        self._set_deadline(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        self._clear_stalled()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._deadline is None and self.timeout_keep_alive_task is None:
                self._set_deadline(HEADER_SECONDS)
        elif not self._answered_early():
            self._clear_deadline()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._answered_early() and self._deadline is None:
            self._set_deadline(LEFTOVER_SECONDS)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._clear_stalled()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._clear_stalled()

    def _answered_early(self) -> bool:
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _set_deadline(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _clear_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
