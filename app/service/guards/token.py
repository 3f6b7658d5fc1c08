"""Every request must carry the service's token: other users of this computer can reach loopback too."""

from __future__ import annotations

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Unauthorized
from app.service.guards.refusal import refuse


class TokenGuard:
    """Takes `Authorization: Bearer TOKEN` or `x-api-key: TOKEN`, compared in constant time; else 401."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or hmac.compare_digest(_given(scope), self._token):
            await self._app(scope, receive, send)
        else:
            await refuse(Unauthorized(), scope, receive, send)


def _given(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credentials = value.partition(b" ")
            if scheme.lower() == b"bearer":
                return bytes(credentials.strip())
        elif name == b"x-api-key":
            return bytes(value.strip())
    return b""
