"""POST /v1/chat/completions"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.service.api.openai_bodies import ChatBody
from app.service.api.openai_choices import Choice, EngineEvent, dialect_reason
from app.service.api.openai_logprobs import chat_logprobs
from app.service.api.openai_reply import streamed_reply, whole_reply
from app.service.api.openai_requests import chat_requests
from app.service.engines.engines import Engines
from inference.worker.messages import Admitted, Finished


def chat_routes(engines: Engines) -> APIRouter:
    """The route of chat completions."""
    router = APIRouter()

    @router.post("/v1/chat/completions")
    async def chat_completions(body: ChatBody, request: Request) -> Response:
        requests = chat_requests(body)
        model = await engines.resolve(body.model)
        shape = _ChatShape(with_logprobs=bool(body.logprobs))
        if body.stream:
            return await streamed_reply(
                request, engines, model, requests, shape, prompts=1, with_usage=body.wants_usage()
            )
        return await whole_reply(request, engines, model, requests, shape, prompts=1)

    return router


class _ChatShape:
    id_prefix = "chatcmpl"
    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def __init__(self, *, with_logprobs: bool) -> None:
        self._with_logprobs = with_logprobs

    def whole(self, index: int, choice: Choice) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(choice.text), "refusal": None}
        if reasoning := "".join(choice.reasoning):
            message["reasoning_content"] = reasoning
        logprobs = chat_logprobs(choice.logprobs) if self._with_logprobs else None
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": choice.finish_reason}

    def opening(self, index: int) -> dict[str, Any]:
        return _piece(index, {"role": "assistant", "content": ""})

    def piece(self, index: int, event: EngineEvent, before: Choice) -> dict[str, Any] | None:
        if isinstance(event, Admitted):
            return None
        if isinstance(event, Finished):
            return _piece(index, {}, finish_reason=dialect_reason(event.reason))
        delta = {}
        if event.reasoning:
            delta["reasoning_content"] = event.reasoning
        if event.text:
            delta["content"] = event.text
        logprobs = chat_logprobs(event.logprobs) if self._with_logprobs and event.logprobs else None
        return _piece(index, delta, logprobs=logprobs) if delta or logprobs else None


def _piece(
    index: int, delta: dict[str, Any], *, logprobs: dict[str, Any] | None = None, finish_reason: str | None = None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
