"""The service's streams: everything that happens, and single answers of a model."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec

from app.client.requests import ADMIN, CONNECT_SECONDS, Requests, remote_error
from app.values import Event

# The event stream sends a comment each 10 s: three missed ones mean that the service hangs.
SILENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts of one completion."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionChunk:
    """A piece of a streamed completion. finish_reason and usage are set once, at the end."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


class StreamsClient(Requests):
    """What is read piece by piece."""

    def events(self, after: int | None = None) -> Iterator[Event]:
        """Everything that happens, as it happens; `after`: the last number already seen.

        The stream is open when this returns: nothing that happens later is missed. The iterator ends when the service
        closes the stream, and raises ServiceUnreachable when it breaks or falls silent: then reconnect.
        """
        request = self._http.build_request(
            "GET",
            f"{ADMIN}/events",
            headers={"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": str(after)}),
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
        )
        return (msgspec.json.decode(data, type=Event) for data in self._read(self._open(request)))

    def chat_completion(
        self, model: str, messages: list[dict[str, Any]], **parameters: Any
    ) -> Generator[CompletionChunk, None, None]:
        """Stream one answer over the OpenAI route, outside of any stored chat; closing the iterator cancels it.

        `parameters` are further fields of the request body (temperature, seed, max_tokens, enable_thinking, …).
        """
        body = {
            "model": model,
            "messages": messages,
            **parameters,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        # Reading a long prompt takes minutes on a slow computer, and nothing is sent meanwhile.
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        request = self._http.build_request("POST", "/v1/chat/completions", json=body, timeout=timeout)
        for data in self._read(self._open(request)):
            if data == "[DONE]":
                return
            yield _completion_chunk(msgspec.json.decode(data))


def _completion_chunk(body: dict[str, Any]) -> CompletionChunk:
    if "error" in body:
        raise remote_error(msgspec.json.encode(body), 500)
    choice = (body.get("choices") or [{}])[0]
    delta = choice.get("delta") or {}
    usage = body.get("usage")
    return CompletionChunk(
        text=delta.get("content") or "",
        reasoning=delta.get("reasoning_content") or "",
        finish_reason=choice.get("finish_reason"),
        usage=usage and Usage(prompt_tokens=usage["prompt_tokens"], completion_tokens=usage["completion_tokens"]),
    )
