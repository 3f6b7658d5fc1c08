"""Runs the requests of one OpenAI call and gives the reply, whole or as a stream; the routes only shape the pieces."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app import VERSION
from app.service.api.errors import language_of, openai_error_event
from app.service.api.event_stream import EventStream, data_frame, unless_gone
from app.service.api.openai_choices import Choice, EngineEvent, side_by_side, usage_of
from app.service.api.replies import json_reply
from app.service.engines.engines import Engines
from inference.values import GenerationRequest

FINGERPRINT = f"liangli_{VERSION}"


class Shape(Protocol):
    """How one of the two routes writes its choices."""

    id_prefix: str
    whole_object: str
    chunk_object: str

    def whole(self, index: int, choice: Choice) -> dict[str, Any]:
        """The finished choice."""
        ...

    def opening(self, index: int) -> dict[str, Any] | None:
        """What a stream says of a choice before its first text, if anything."""
        ...

    def piece(self, index: int, event: EngineEvent, before: Choice) -> dict[str, Any] | None:
        """What the event adds to a choice in a stream, None for nothing. `before`: the choice without it."""
        ...


async def whole_reply(
    request: Request, engines: Engines, model: str, requests: Sequence[GenerationRequest], shape: Shape, prompts: int
) -> Response:
    """The reply when all choices are finished. They are cancelled when the client goes away."""

    async def collect() -> list[Choice]:
        choices = [Choice() for _ in requests]
        async with aclosing(side_by_side([engines.generate(model, one) for one in requests])) as events:
            async for index, event in events:
                choices[index].take(event)
        return choices

    choices = await unless_gone(request, collect())
    head = _head(shape.id_prefix, shape.whole_object, model)
    written = [shape.whole(index, choice) for index, choice in enumerate(choices)]
    return json_reply({**head, "choices": written, "usage": usage_of(choices, prompts)})


async def streamed_reply(
    request: Request,
    engines: Engines,
    model: str,
    requests: Sequence[GenerationRequest],
    shape: Shape,
    prompts: int,
    *,
    with_usage: bool,
) -> Response:
    """The reply as a stream. It begins when the engine has taken a request on, so that refusals are plain errors."""
    events = side_by_side([engines.generate(model, one) for one in requests])
    try:
        first = await unless_gone(request, anext(events))
    except BaseException:
        await events.aclose()
        raise
    head = _head(shape.id_prefix, shape.chunk_object, model)
    return EventStream(_frames(request, first, events, head, len(requests), shape, prompts, with_usage), source=events)


async def _frames(
    request: Request,
    first: tuple[int, EngineEvent],
    events: AsyncGenerator[tuple[int, EngineEvent], None],
    head: dict[str, Any],
    count: int,
    shape: Shape,
    prompts: int,
    with_usage: bool,
) -> AsyncGenerator[bytes, None]:
    choices = [Choice() for _ in range(count)]
    usage: dict[str, Any] = {"usage": None} if with_usage else {}

    def chunk(choice: dict[str, Any]) -> bytes:
        return data_frame(msgspec.json.encode({**head, "choices": [choice], **usage}))

    try:
        for index in range(count):
            if (opening := shape.opening(index)) is not None:
                yield chunk(opening)
        choices[first[0]].take(first[1])
        async for index, event in events:
            if (piece := shape.piece(index, event, choices[index])) is not None:
                yield chunk(piece)
            choices[index].take(event)
    except Exception as error:
        yield data_frame(msgspec.json.encode(openai_error_event(error, language_of(request.scope))))
        return
    if with_usage:
        yield data_frame(msgspec.json.encode({**head, "choices": [], "usage": usage_of(choices, prompts)}))
    yield data_frame(b"[DONE]")


def _head(id_prefix: str, kind: str, model: str) -> dict[str, Any]:
    return {
        "id": f"{id_prefix}-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": FINGERPRINT,
    }
