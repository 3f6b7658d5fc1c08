"""Routes of the admin API for the queue of downloads."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.service.api.checked_body import CheckedBody
from app.service.api.replies import json_reply
from app.service.downloads.queue import Downloads

_ENDPOINTS = ("HF_ENDPOINT", "HF_TOKEN", "MODELSCOPE_ENDPOINT", "MODELSCOPE_API_TOKEN")


class DownloadBody(CheckedBody):
    """POST /downloads: a model, by whatever name; hubs to take, all if none; the asker's own endpoints and token."""

    model: str
    sources: tuple[str, ...] = ()
    endpoints: dict[str, str] = {}  # noqa: RUF012 pydantic copies defaults


class OrderBody(CheckedBody):
    """POST /downloads/{id}/order: the new place, 0 the first."""

    position: int


def downloads_routes(downloads: Downloads) -> APIRouter:
    """Everything under /downloads. The speed limit, the hours and the proxies are settings."""
    router = APIRouter(prefix="/downloads")

    @router.get("")
    async def whole() -> Response:
        return json_reply(downloads.statuses())

    @router.post("")
    async def add(body: DownloadBody) -> Response:
        endpoints = {name: value for name, value in body.endpoints.items() if name in _ENDPOINTS and value}
        return json_reply(await downloads.add(body.model, body.sources, endpoints), 202)

    @router.post("/{download_id}/pause")
    async def pause(download_id: str) -> Response:
        return json_reply(await downloads.pause(download_id))

    @router.post("/{download_id}/resume")
    async def resume(download_id: str) -> Response:
        return json_reply(await downloads.resume(download_id))

    @router.post("/{download_id}/cancel")
    async def cancel(download_id: str) -> Response:
        await downloads.cancel(download_id)
        return Response(status_code=204)

    @router.post("/{download_id}/order")
    async def order(download_id: str, body: OrderBody) -> Response:
        return json_reply(await downloads.move(download_id, body.position))

    return router
