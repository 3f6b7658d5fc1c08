"""A response that is written while it is being made, and that ends when its client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")


class ClientGone(Exception):
    """The client closed the connection; nobody waits for the response any more."""


class EventStream(Response):
    """Sends server-sent events. The frames are asked for one at a time, as fast as the client takes them.

    When the client goes away the generator is closed, which cancels what it waits for, and then `source`: a generator
    that `frames` reads from. (Closing a generator that has not begun runs none of its code.)
    """

    def __init__(self, frames: AsyncGenerator[bytes, None], source: AsyncGenerator[Any, None] | None = None) -> None:
        self.status_code = 200
        self.background = None
        self.frames = frames
        self.source = source
        self.init_headers({"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with suppress(ClientGone):
                await until_gone(self._send_all(send), receive)
        finally:
            if self.source is not None:
                await self.source.aclose()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self.frames) as frames:
            async for frame in frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client goes away: then ClientGone is raised."""
    return await until_gone(work, request.receive)


async def until_gone(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Like `unless_gone`, for a request whose body has been read."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.wait({working, leaving})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def data_frame(data: bytes) -> bytes:
    """One event of an OpenAI stream."""
    return b"data: %b\n\n" % data
