"""POST /v1/completions"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.service.api.openai_bodies import TextBody
from app.service.api.openai_choices import Choice, EngineEvent, dialect_reason
from app.service.api.openai_logprobs import text_logprobs
from app.service.api.openai_reply import streamed_reply, whole_reply
from app.service.api.openai_requests import text_requests
from app.service.engines.engines import Engines
from inference.worker.messages import Admitted, Finished


def text_routes(engines: Engines) -> APIRouter:
    """The route of plain completions."""
    router = APIRouter()

    @router.post("/v1/completions")
    async def completions(body: TextBody, request: Request) -> Response:
        requests = text_requests(body)
        prompts = len(body.prompts())
        model = await engines.resolve(body.model)
        shape = _TextShape(with_logprobs=body.logprobs is not None)
        if body.stream:
            return await streamed_reply(
                request, engines, model, requests, shape, prompts=prompts, with_usage=body.wants_usage()
            )
        return await whole_reply(request, engines, model, requests, shape, prompts=prompts)

    return router


class _TextShape:
    id_prefix = "cmpl"
    whole_object = "text_completion"
    chunk_object = "text_completion"

    def __init__(self, *, with_logprobs: bool) -> None:
        self._with_logprobs = with_logprobs

    def whole(self, index: int, choice: Choice) -> dict[str, Any]:
        logprobs = text_logprobs(choice.logprobs, 0) if self._with_logprobs else None
        return _choice(index, "".join(choice.text), logprobs, choice.finish_reason)

    def opening(self, index: int) -> None:
        return None

    def piece(self, index: int, event: EngineEvent, before: Choice) -> dict[str, Any] | None:
        if isinstance(event, Admitted):
            return None
        if isinstance(event, Finished):
            return _choice(index, "", None, dialect_reason(event.reason))
        logprobs = None
        if self._with_logprobs and event.logprobs:
            logprobs = text_logprobs(event.logprobs, sum(len(token.text) for token in before.logprobs))
        return _choice(index, event.text, logprobs, None) if event.text or logprobs else None


def _choice(index: int, text: str, logprobs: dict[str, Any] | None, finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish_reason}
