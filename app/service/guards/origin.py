"""Only this computer's own programs, and web pages that the user listed, may talk to the service.

A page of any web site can send requests to loopback, and with DNS rebinding even read the answers under its own host
name: the Host header must therefore be a loopback name with our port, and an Origin must be on the user's list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ForbiddenOrigin
from app.service.guards.refusal import refuse

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_PREFLIGHT_SECONDS = "600"


class OriginGuard:
    """Refuses foreign Host and Origin headers (403) and speaks CORS with listed origins."""

    def __init__(self, app: ASGIApp, *, port: int, allowed_origins: Callable[[], Collection[str]]) -> None:
        self._app = app
        self._port = port
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0] not in self._own_hosts():
            await refuse(ForbiddenOrigin(origin=", ".join(hosts)), scope, receive, send)
            return
        origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        if not origins:
            await self._app(scope, receive, send)
        elif len(origins) != 1 or origins[0] not in self._allowed_origins():
            await refuse(ForbiddenOrigin(origin=", ".join(origins)), scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_cors(origins[0], scope))(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, _cors(origins[0], None)))

    def _own_hosts(self) -> set[str]:
        port = self._port
        hosts = {f"{name}:{port}" for name in LOOPBACK_NAMES}
        return hosts | set(LOOPBACK_NAMES) if port == 80 else hosts


def _cors(origin: str, preflight: Scope | None) -> dict[str, str]:
    headers = {"access-control-allow-origin": origin, "vary": "origin"}
    if preflight is not None:
        wanted = [value.decode("latin-1") for name, value in preflight["headers"] if name.endswith(b"request-headers")]
        headers |= {
            "access-control-allow-methods": "GET, POST, PATCH, DELETE",
            "access-control-allow-headers": wanted[0] if wanted else "authorization, content-type",
            "access-control-max-age": _PREFLIGHT_SECONDS,
        }
    return headers


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return sending
