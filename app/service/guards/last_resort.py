"""The end of every error that nobody expected: the client gets a 500, the log the place, never the contents."""

from __future__ import annotations

import logging
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.service.guards.refusal import refuse

log = logging.getLogger(__name__)


class ResponseCutShort(Exception):
    """Makes the HTTP server close the connection, which tells the client that the response is not complete."""


class LastResort:
    """Catches whatever the application raises.

    The message of an exception may quote a prompt, so that only its type and the lines of code are logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = complete = False

        async def sending(message: Message) -> None:
            nonlocal started, complete
            started = True
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            log.error("%s in %s\n%s", type(error).__name__, scope.get("path"), places(error))
            if not started:
                await refuse(error, scope, receive, send)
            elif not complete:
                raise ResponseCutShort from None


def places(error: BaseException) -> str:
    """Where the error came from, without its message and without values."""
    return "".join(traceback.format_tb(error.__traceback__))
