"""Routes of the admin API for the service itself: status, end, settings and the stream of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Response

from app.service.api.event_stream import EventStream
from app.service.api.replies import json_reply
from app.service.events import EventBus
from app.service.kept_settings import KeptSettings
from app.values import ServiceStatus

HEARTBEAT_SECONDS = 10.0


def service_routes(
    *, status: Callable[[], ServiceStatus], shut_down: Callable[[], None], settings: KeptSettings, events: EventBus
) -> APIRouter:
    """/status, /shutdown, /settings and /events."""
    router = APIRouter()

    @router.get("/status")
    async def get_status() -> Response:
        return json_reply(status())

    @router.post("/shutdown")
    async def post_shutdown() -> Response:
        shut_down()
        return Response(status_code=202)

    @router.get("/settings")
    async def get_settings() -> Response:
        return json_reply(settings.values())

    @router.patch("/settings")
    async def change_settings(changes: Annotated[dict[str, Any], Body()]) -> Response:
        changed = await settings.change(changes)
        events.publish("settings", {})
        return json_reply(changed)

    @router.get("/events")
    async def get_events(
        last_event_id: Annotated[int | None, Header()] = None, after: Annotated[int | None, Query()] = None
    ) -> Response:
        known = last_event_id if last_event_id is not None else after
        return EventStream(events.subscribe(known, HEARTBEAT_SECONDS))

    return router
