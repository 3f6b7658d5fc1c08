"""The HTTP server: a loopback socket, uvicorn with our limits, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from app.service.connection import HEADER_BYTES, PatientConnection

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
# Responses that still run when everything else has ended get so long.
LAST_WORDS_SECONDS = 3


def loopback_socket(port: int) -> socket.socket:
    """A socket bound to this port of loopback, or to a free one when it is taken (or not ours to take)."""
    try:
        return _bound(port)
    except OSError as error:
        found = _bound(0)
        log.warning("port %d cannot be used (%s); using %d", port, error.strerror, found.getsockname()[1])
        return found


def _bound(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, every response after a
    # connection's first waits 40 ms for the client's delayed acknowledgement.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            # There SO_REUSEADDR would let another program take the port over.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen(128)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


class HttpServer:
    """Serves one application on one socket until it is told to stop."""

    def __init__(self, application: ASGIApp, listening: socket.socket) -> None:
        self._listening = listening
        self._stop = asyncio.Event()
        self._uvicorn = _Quiet(
            uvicorn.Config(
                application,
                http=PatientConnection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                h11_max_incomplete_event_size=HEADER_BYTES,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=LAST_WORDS_SECONDS,
            )
        )

    def stop(self) -> None:
        """Begin to end; from the loop's thread."""
        self._stop.set()

    async def run(self, *, when_listening: Callable[[], None], before_end: Callable[[], Awaitable[None]]) -> None:
        """Serve. `when_listening` is called when connections are taken; `before_end` runs after `stop`, while
        responses can still be sent; then the connections are closed."""
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._listening]), name="http")
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await self._uvicorn.listening.wait()
            when_listening()
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await before_end()
            self._uvicorn.should_exit = True
            await serving


class _Quiet(uvicorn.Server):
    """Says when it listens, and leaves signals to `stopped_by_signals`: uvicorn would raise them again at its end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM, SIGINT (and SIGBREAK) call `stop` in the running loop while this lasts."""
    loop = asyncio.get_running_loop()
    names = ["SIGTERM", "SIGINT", "SIGBREAK"]
    wanted = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in wanted}
    for number in wanted:
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
