"""All routes behind all guards: the ASGI application of the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from app.errors import AppError
from app.service.api.errors import error_response
from app.service.api.event_stream import ClientGone
from app.service.guards.body import BodyGuard
from app.service.guards.last_resort import LastResort
from app.service.guards.origin import OriginGuard
from app.service.guards.token import TokenGuard
from inference.errors import InferenceError
from models_catalog.errors import CatalogError

ADMIN_PREFIX = "/liangli/v1"
_CLIENT_CLOSED_REQUEST = 499


def application(
    *,
    openai: Sequence[APIRouter],
    admin: Sequence[APIRouter],
    token: str,
    port: int,
    allowed_origins: Callable[[], Sequence[str]],
) -> ASGIApp:
    """The application. Every error of ours becomes a response here; what nobody expected ends in `LastResort`."""
    app = FastAPI(openapi_url=None)
    for router in openai:
        app.include_router(router)
    for router in admin:
        app.include_router(router, prefix=ADMIN_PREFIX)
    for kind in (AppError, InferenceError, CatalogError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _answer_error)
    app.add_exception_handler(ClientGone, _answer_nobody)
    guarded: ASGIApp = BodyGuard(app)
    guarded = TokenGuard(guarded, token=token)
    guarded = OriginGuard(guarded, port=port, allowed_origins=allowed_origins)
    return LastResort(guarded)


async def _answer_error(request: Request, error: Exception) -> Response:
    return error_response(error, request.scope)


async def _answer_nobody(request: Request, error: Exception) -> Response:
    return Response(status_code=_CLIENT_CLOSED_REQUEST)
