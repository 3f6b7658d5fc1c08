"""Routes of the admin API for models on this computer and for loaded ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from app.errors import BadRequest
from app.service.api.checked_body import CheckedBody
from app.service.api.replies import json_reply
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.service.library import LocalLibrary


class ImportBody(CheckedBody):
    """POST /models/import"""

    path: str


class LoadBody(CheckedBody):
    """POST /engines/load"""

    model: str = ""
    context_tokens: Annotated[int, Field(ge=16, le=16_777_216)] | None = None


class UnloadBody(CheckedBody):
    """POST /engines/unload"""

    model: str = ""


def engines_routes(library: LocalLibrary, engines: Engines, events: EventBus) -> APIRouter:
    """Everything under /models and /engines."""
    router = APIRouter()

    @router.get("/models")
    async def models() -> Response:
        return json_reply(await library.models())

    @router.post("/models/import")
    async def import_file(body: ImportBody) -> Response:
        path = Path(body.path)
        if not path.is_absolute():
            raise BadRequest(field="path", problem="must be an absolute path")
        model = await library.add(path)
        events.publish("models", {})
        return json_reply(model)

    @router.post("/engines/load")
    async def load(body: LoadBody) -> Response:
        return json_reply(await engines.load(body.model, body.context_tokens))

    @router.post("/engines/unload")
    async def unload(body: UnloadBody) -> Response:
        await engines.unload(body.model)
        return Response(status_code=204)

    return router
