"""The child's end of the socket pair: blocking, for the one thread that runs the engine."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence

from inference.worker.frames import FrameBuffer
from inference.worker.messages import ToChild, ToService, decode_to_child, encode

_READ_BYTES = 256 * 1024


class ConnectionClosed(Exception):
    """The service is gone: nobody is left to answer."""


class Connection:
    """Messages to and from the service, in order. For one thread; blocks when the service does not read.

    `send` and `send_all` return when the bytes are on their way. Every method raises ConnectionClosed once the service
    has closed its end or died.
    """

    def __init__(self, pair_end: socket.socket) -> None:
        self._socket = pair_end
        self._socket.setblocking(True)
        self._frames = FrameBuffer()
        self._received: deque[ToChild] = deque()

    def send(self, message: ToService) -> None:
        """Send one message."""
        self.send_all((message,))

    def send_all(self, messages: Sequence[ToService]) -> None:
        """Send several messages with one system call (what one engine step has to say)."""
        if not messages:
            return
        try:
            self._socket.sendall(b"".join(map(encode, messages)))
        except OSError as error:
            raise ConnectionClosed from error

    def receive(self, timeout_seconds: float | None) -> ToChild | None:
        """The next message; None when none came in time. None as time-out: wait for ever; 0: only look.

        Raises msgspec.DecodeError or ValueError when the service sends nonsense.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while not self._received:
            wait = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                readable, _, _ = select.select([self._socket], [], [], wait)
                if not readable:
                    return None
                data = self._socket.recv(_READ_BYTES)
            except OSError as error:
                raise ConnectionClosed from error
            if not data:
                raise ConnectionClosed
            self._received.extend(map(decode_to_child, self._frames.feed(data)))
        return self._received.popleft()

    def close(self) -> None:
        """Close this end; the service takes it as the engine's end."""
        self._socket.close()
