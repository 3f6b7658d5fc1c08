"""Bodies of the OpenAI dialect as requests to an engine, one for each choice that is wanted."""

from __future__ import annotations

import uuid

from app.errors import BadRequest
from app.service.api.openai_bodies import ChatBody, Message, TextBody
from inference.values import ChatMessage, ChatPrompt, GenerationRequest, TextPrompt

# What the dialect promises for plain completions; chats may use the whole context.
TEXT_MAX_TOKENS = 16


def chat_requests(body: ChatBody) -> tuple[GenerationRequest, ...]:
    """One request per choice; they differ by id and seed. Raises BadRequest for what is not supported."""
    body.refuse_unsupported()
    options = body.chat_template_kwargs or {}
    thinking = body.enable_thinking if body.enable_thinking is not None else options.get("enable_thinking")
    prompt = ChatPrompt(
        messages=tuple(_message(message, place) for place, message in enumerate(body.messages)),
        tools=tuple(body.tools or ()) if body.tool_choice != "none" else (),
        documents=tuple(body.documents or ()),
        enable_thinking=thinking if isinstance(thinking, bool) else None,
        template_options={name: value for name, value in options.items() if name != "enable_thinking"},
    )
    logprobs = (body.top_logprobs or 0) if body.logprobs else None
    return tuple(
        GenerationRequest(
            request_id=uuid.uuid4().hex,
            chat=prompt,
            sampling=body.sampling(logprobs=logprobs, seed_offset=index),
            max_tokens=body.max_completion_tokens or body.max_tokens,
            stop=body.stops(),
        )
        for index in range(body.n or 1)
    )


def text_requests(body: TextBody) -> tuple[GenerationRequest, ...]:
    """One request per prompt and choice, those of the first prompt first. Raises BadRequest."""
    body.refuse_unsupported()
    return tuple(
        GenerationRequest(
            request_id=uuid.uuid4().hex,
            text=TextPrompt(text=prompt),
            sampling=body.sampling(logprobs=body.logprobs, seed_offset=index),
            max_tokens=body.max_tokens or TEXT_MAX_TOKENS,
            stop=body.stops(),
        )
        for prompt in body.prompts()
        for index in range(body.n or 1)
    )


def _message(message: Message, place: int) -> ChatMessage:
    role = "system" if message.role == "developer" else "tool" if message.role == "function" else message.role
    return ChatMessage(
        role=role,
        content=_text(message, place),
        reasoning=message.reasoning_content or "",
        extra=dict(message.model_extra or {}),
    )


def _text(message: Message, place: int) -> str:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    for part in message.content:
        if part.type != "text" or part.text is None:
            raise BadRequest(
                field=f"messages.{place}.content",
                problem=f"parts of type {part.type!r} are not supported; this model reads text only",
            )
    return "\n".join(part.text or "" for part in message.content)
