"""GET /v1/models and /v1/models/{id}"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from app.service.api.replies import json_reply
from app.service.engines.engines import Engines
from app.service.engines.sampling_defaults import expected_defaults
from app.service.library import LocalLibrary
from app.service.manners import Manners
from app.values import LocalModel


def model_routes(library: LocalLibrary, engines: Engines, manners: Manners) -> APIRouter:
    """The routes that name the models an API client can ask for.

    "liangli" holds what is ours: catalogue_model, the id in the catalogue ("" for others), and sampling_defaults, what
    holds for requests that leave it open, by mode.
    """
    router = APIRouter()

    async def described(model: LocalModel) -> dict[str, Any]:
        loaded = next((status for status in engines.statuses() if status.model == model.id), None)
        if loaded is not None and loaded.sampling_defaults is not None:
            ours = {"catalogue_model": loaded.catalogue_model, "sampling_defaults": loaded.sampling_defaults}
        else:
            manner = await manners.of(model)
            ours = {
                "catalogue_model": manner.model if manner is not None else "",
                "sampling_defaults": expected_defaults(manner),
            }
        created = int(model.added_at)
        return {"id": model.id, "object": "model", "created": created, "owned_by": "liangli", "liangli": ours}

    @router.get("/v1/models")
    async def models() -> Response:
        usable = [model for model in await library.models() if model.problem is None]
        return json_reply({"object": "list", "data": [await described(model) for model in usable]})

    @router.get("/v1/models/{model_id}")
    async def model(model_id: str) -> Response:
        return json_reply(await described(await library.find(model_id)))

    return router
