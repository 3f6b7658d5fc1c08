"""Routes of the admin API for sharing models on the local network."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.service.api.checked_body import CheckedBody
from app.service.api.replies import json_reply
from app.service.lan_share import LanShare


class PeerBody(CheckedBody):
    """POST /share/peers: another computer and its code."""

    address: str
    code: str


class FormerPeerBody(CheckedBody):
    """POST /share/peers/remove."""

    address: str


def share_routes(share: LanShare) -> APIRouter:
    """Everything under /share. Whether this computer shares is the setting lan_share."""
    router = APIRouter(prefix="/share")

    @router.get("")
    async def status() -> Response:
        return json_reply(await share.status())

    @router.post("/code")
    async def renew_code() -> Response:
        return json_reply(await share.renew_code())

    @router.post("/peers")
    async def add_peer(body: PeerBody) -> Response:
        return json_reply(await share.add_peer(body.address, body.code))

    @router.post("/peers/remove")
    async def remove_peer(body: FormerPeerBody) -> Response:
        return json_reply(await share.remove_peer(body.address))

    return router
