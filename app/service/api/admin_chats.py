"""Routes of the admin API for chats and their messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field

from app.service.api.checked_body import CheckedBody
from app.service.api.replies import json_reply
from app.service.api.sampling_fields import SamplingFields
from app.service.chats.chats import Chats
from app.service.chats.wish import AnswerWish

Title = Annotated[str, Field(max_length=400)]


class NewChat(CheckedBody):
    """POST /chats"""

    title: Title | None = None
    model: str | None = None
    system_prompt: str | None = None


class ChatChange(CheckedBody):
    """PATCH /chats/{id}: what is absent or null stays."""

    title: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    model: str | None = None
    system_prompt: str | None = None


class ChatSampling(SamplingFields):
    """Sampling for one answer; a misspelt name is an error here."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NewMessage(CheckedBody):
    """POST /chats/{id}/messages. parent_id absent: after the active branch; null: another first message."""

    text: Annotated[str, Field(min_length=1)]
    parent_id: str | None = None
    model: str | None = None
    sampling: ChatSampling = Field(default_factory=ChatSampling)
    max_tokens: Annotated[int, Field(ge=1, le=2**31)] | None = None
    enable_thinking: bool | None = None

    def wish(self) -> AnswerWish:
        """How the answer is to be written."""
        return AnswerWish(
            sampling=self.sampling.sampling(), max_tokens=self.max_tokens, enable_thinking=self.enable_thinking
        )


class MessageNamed(CheckedBody):
    """Body of the routes that do something with one message."""

    message_id: str


def chats_routes(chats: Chats) -> APIRouter:
    """Everything under /chats."""
    router = APIRouter(prefix="/chats")

    @router.get("")
    async def list_chats() -> Response:
        return json_reply(await chats.list())

    @router.post("")
    async def create(body: NewChat) -> Response:
        title, model, system_prompt = body.title or "", body.model or "", body.system_prompt or ""
        return json_reply(await chats.create(title=title, model=model, system_prompt=system_prompt), 201)

    @router.get("/{chat_id}")
    async def get(chat_id: str) -> Response:
        return json_reply(await chats.get(chat_id))

    @router.patch("/{chat_id}")
    async def change(chat_id: str, body: ChatChange) -> Response:
        changed = await chats.change(chat_id, title=body.title, model=body.model, system_prompt=body.system_prompt)
        return json_reply(changed)

    @router.delete("/{chat_id}")
    async def delete(chat_id: str) -> Response:
        await chats.delete(chat_id)
        return Response(status_code=204)

    @router.post("/{chat_id}/messages")
    async def send(chat_id: str, body: NewMessage) -> Response:
        if "parent_id" in body.model_fields_set:
            user, answer = await chats.send(chat_id, body.parent_id, body.text, body.model, body.wish())
        else:
            user, answer = await chats.send_at_end(chat_id, body.text, body.model, body.wish())
        return json_reply({"user": user, "assistant": answer}, 202)

    @router.get("/{chat_id}/messages/{message_id}/prompt")
    async def prompt(chat_id: str, message_id: str) -> Response:
        return json_reply(await chats.prompt(chat_id, message_id))

    @router.post("/{chat_id}/regenerate")
    async def regenerate(chat_id: str, body: MessageNamed) -> Response:
        return json_reply(await chats.regenerate(chat_id, body.message_id), 202)

    @router.post("/{chat_id}/continue")
    async def go_on(chat_id: str, body: MessageNamed) -> Response:
        return json_reply(await chats.go_on(chat_id, body.message_id), 202)

    @router.post("/{chat_id}/stop")
    async def stop(chat_id: str, body: MessageNamed) -> Response:
        return json_reply(await chats.stop(chat_id, body.message_id))

    @router.post("/{chat_id}/branch")
    async def show_branch(chat_id: str, body: MessageNamed) -> Response:
        return json_reply(await chats.show_branch(chat_id, body.message_id))

    return router
