"""Routes of the admin API for chat templates: what is wrong with a model's own, and what can be used instead."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.service.api.replies import json_reply
from app.service.library import LocalLibrary
from app.service.templates import Templates
from inference.text.profiles import all_profiles


def templates_routes(library: LocalLibrary, templates: Templates) -> APIRouter:
    """/models/{id}/template and /chat-profiles."""
    router = APIRouter()

    @router.get("/models/{model_id}/template")
    async def template(model_id: str) -> Response:
        model = await library.find(model_id)
        return json_reply(await templates.report(model))

    @router.get("/chat-profiles")
    async def profiles() -> Response:
        return json_reply([profile.name for profile in all_profiles()])

    return router
