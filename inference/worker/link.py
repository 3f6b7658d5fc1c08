"""The service's end of a child's socket pair, in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from inference.worker.frames import FrameBuffer
from inference.worker.messages import ToChild, ToService, decode_to_service, encode
from inference.worker.refusals import UnknownRefusal


class Link(asyncio.Protocol):
    """Gives each message and its size to `on_message`; what cannot be one goes as a sentence to `on_broken_rule`.

    `closed` is done when all that the child said has been read.
    """

    def __init__(self, on_message: Callable[[ToService, int], None], on_broken_rule: Callable[[str], None]) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_message = on_message
        self._on_broken_rule = on_broken_rule
        self._frames = FrameBuffer()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._on_message(decode_to_service(body), len(body))
        except (ValueError, msgspec.MsgspecError, UnknownRefusal) as problem:
            self._on_broken_rule(str(problem))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, message: ToChild) -> None:
        """Queue a message for the child; dropped when it is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    def close(self) -> None:
        """Close now; what was not written is dropped."""
        if self._transport is not None:
            self._transport.abort()
        elif not self.closed.done():
            self.closed.set_result(None)
