"""Sends an error as the whole response of a request, in the dialect of its path."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from app.service.api.errors import error_response


async def refuse(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the request with this error."""
    await error_response(error, scope)(scope, receive, send)
