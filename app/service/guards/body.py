"""Limits for request bodies: size, counted while they come in, and time."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import AppError, BadRequest, BodyTooLarge, RequestTooSlow
from app.service.guards.refusal import refuse

MAX_BODY_BYTES = 20_000_000
# Between two pieces, and for the whole body: generous on loopback, where 20 MB take milliseconds.
PIECE_SECONDS = 15.0
WHOLE_SECONDS = 60.0


class BodyGuard:
    """Reads the body for the application: 413 when it is too large, 408 when it comes too slowly.

    Nothing beyond the limit is ever held in memory. The application is called when the body is complete.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit_bytes: int = MAX_BODY_BYTES,
        piece_seconds: float = PIECE_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._piece_seconds = piece_seconds
        self._whole_seconds = whole_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except AppError as error:
            await refuse(error, scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, or None when the client has gone."""
        self._check_announced(scope)
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._whole_seconds):
                while True:
                    async with asyncio.timeout(self._piece_seconds):
                        message = await receive()
                    if message["type"] != "http.request":
                        return None
                    size += len(message.get("body", b""))
                    if size > self._limit_bytes:
                        raise BodyTooLarge(limit_bytes=self._limit_bytes)
                    pieces.append(message.get("body", b""))
                    if not message.get("more_body", False):
                        return b"".join(pieces)
        except TimeoutError:
            raise RequestTooSlow(limit_seconds=self._whole_seconds) from None

    def _check_announced(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > self._limit_bytes:
                raise BodyTooLarge(limit_bytes=self._limit_bytes)
            if name == b"content-encoding" and value.lower() != b"identity":
                raise BadRequest(field="Content-Encoding", problem="compressed request bodies are not supported")


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once and then waits for what comes after it: the client's going away."""
    given = False

    async def replaying() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying
