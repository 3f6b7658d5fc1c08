"""GET /v1/models and /v1/models/{id}"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from app.service.api.replies import json_reply
from app.service.library import LocalLibrary
from app.values import LocalModel


def model_routes(library: LocalLibrary) -> APIRouter:
    """The routes that name the models an API client can ask for."""
    router = APIRouter()

    @router.get("/v1/models")
    async def models() -> Response:
        usable = [model for model in await library.models() if model.problem is None]
        return json_reply({"object": "list", "data": [_model(model) for model in usable]})

    @router.get("/v1/models/{model_id}")
    async def model(model_id: str) -> Response:
        return json_reply(_model(await library.find(model_id)))

    return router


def _model(model: LocalModel) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": int(model.added_at), "owned_by": "liangli"}
