"""Routes of the admin API for starter models and their download."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.service.api.checked_body import CheckedBody
from app.service.api.errors import language_of
from app.service.api.replies import json_reply
from app.service.fetches import Fetches


class KeyBody(CheckedBody):
    """Names a starter model."""

    key: str


def starter_routes(fetches: Fetches) -> APIRouter:
    """Everything under /starter."""
    router = APIRouter(prefix="/starter")

    @router.get("")
    async def offers(request: Request) -> Response:
        return json_reply(await fetches.offers(language_of(request.scope)))

    @router.get("/fetch")
    async def all_fetches() -> Response:
        return json_reply(fetches.statuses())

    @router.post("/fetch")
    async def fetch(body: KeyBody) -> Response:
        return json_reply(fetches.start(body.key), 202)

    @router.post("/cancel")
    async def cancel(body: KeyBody) -> Response:
        await fetches.cancel(body.key)
        return Response(status_code=204)

    return router
