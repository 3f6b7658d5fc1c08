"""Greedy answers over the OpenAI routes, from our service or another server, with the time of every piece."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx
import msgspec

from app.cli.bench.differences import Token

_CONNECT_SECONDS = 5.0
_RIVALS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Who is asked. extra: further fields of each request's body.

    counts_end: its usage counts the token that ends an answer, too.
    """

    name: str
    base_url: str
    token: str
    model: str
    extra: dict[str, Any]
    counts_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. Times are seconds of `time.perf_counter`; first_at and last_at: its first and last piece of text.

    shown_tokens: without the one that ends the answer. tokens: empty unless logprobs were asked for.
    """

    text: str
    finish_reason: str
    shown_tokens: int
    sent_at: float
    first_at: float
    last_at: float
    tokens: tuple[Token, ...] = ()

    @property
    def first_seconds(self) -> float:
        """From sending the request to the first piece of text."""
        return self.first_at - self.sent_at

    @property
    def token_seconds(self) -> float:
        """Mean time from one token to the next, the first one excepted."""
        return (self.last_at - self.first_at) / max(1, self.shown_tokens - 1)


class Asker:
    """Asks one server; an async context manager."""

    def __init__(self, server: Server, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.server = server
        self._http = httpx.AsyncClient(
            base_url=server.base_url,
            headers={"Authorization": f"Bearer {server.token}"} if server.token else {},
            # A long line of waiting requests on a slow computer is not an error.
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            # A connection for each request: servers may close a kept one just when the next request is sent on it.
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=0),
            # A proxy of the environment has no business between us and this very computer.
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._http.aclose()

    async def chat(self, prompt: str, *, max_tokens: int, stream: bool = True, logprobs: bool = False) -> Answer:
        """The greedy answer to one user message."""
        body = self._body(max_tokens) | {"messages": [{"role": "user", "content": prompt}]}
        if logprobs:
            body |= {"logprobs": True, "top_logprobs": _RIVALS}
        return await self._ask("/v1/chat/completions", body, stream)

    async def chats(
        self, prompts: Sequence[str], *, at_once: int, max_tokens: int, stream: bool = True
    ) -> list[Answer]:
        """The answers to all prompts, in their order, so many of them being written at any time."""
        turn = asyncio.Semaphore(at_once)

        async def one(prompt: str) -> Answer:
            async with turn:
                return await self.chat(prompt, max_tokens=max_tokens, stream=stream)

        return await asyncio.gather(*map(one, prompts))

    async def go_on(self, text: str, *, max_tokens: int) -> Answer:
        """The greedy continuation of plain text, streamed."""
        return await self._ask("/v1/completions", self._body(max_tokens) | {"prompt": text}, True)

    def _body(self, max_tokens: int) -> dict[str, Any]:
        return {"model": self.server.model, "temperature": 0, "max_tokens": max_tokens, **self.server.extra}

    async def _ask(self, route: str, body: dict[str, Any], stream: bool) -> Answer:
        collected = _Collected()
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        sent_at = time.perf_counter()
        async with self._http.stream("POST", route, json=body) as response:
            if response.status_code != httpx.codes.OK:
                await response.aread()
                raise httpx.HTTPStatusError(response.text, request=response.request, response=response)
            if stream:
                async for chunk in _events(response):
                    collected.take(chunk, time.perf_counter())
            else:
                collected.take(msgspec.json.decode(await response.aread()), time.perf_counter())
        return collected.answer(sent_at, counts_end=self.server.counts_end)


async def _events(response: httpx.Response) -> AsyncIterator[Any]:
    async for line in response.aiter_lines():
        if line.startswith("data:") and (data := line.removeprefix("data:").strip()) != "[DONE]":
            yield msgspec.json.decode(data)


class _Collected:
    """What has come of one answer."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._tokens: list[Token] = []
        self._finish_reason = ""
        self._completion_tokens = 0
        self._first_at = self._last_at = 0.0

    def take(self, chunk: Any, now: float) -> None:
        """A chunk of a stream, or the whole reply."""
        if error := chunk.get("error"):
            raise ValueError(f"the server stopped with an error: {error}")
        if usage := chunk.get("usage"):
            self._completion_tokens = usage["completion_tokens"]
        for choice in chunk["choices"]:
            piece = piece_of(choice)
            if piece:
                self._text.append(piece)
                self._first_at = self._first_at or now
                self._last_at = now
            self._tokens += tokens_of(choice)
            self._finish_reason = choice.get("finish_reason") or self._finish_reason

    def answer(self, sent_at: float, *, counts_end: bool) -> Answer:
        ended = counts_end and self._finish_reason == "stop"
        return Answer(
            text="".join(self._text),
            finish_reason=self._finish_reason,
            shown_tokens=self._completion_tokens - (1 if ended else 0),
            sent_at=sent_at,
            first_at=self._first_at or sent_at,
            last_at=self._last_at or sent_at,
            tokens=tuple(self._tokens),
        )


def piece_of(choice: dict[str, Any]) -> str:
    """The text in one choice of a reply or of a chunk, of either route."""
    message = choice.get("message") or choice.get("delta") or {}
    return str(message.get("content") or choice.get("text") or "")


def tokens_of(choice: dict[str, Any]) -> list[Token]:
    """The tokens that a choice reports with `logprobs`; none when it does not."""
    entries = (choice.get("logprobs") or {}).get("content") or []
    return [
        Token(
            raw=bytes(entry["bytes"] or ()),
            logprob=entry["logprob"],
            top=tuple((bytes(rival["bytes"] or ()), rival["logprob"]) for rival in entry["top_logprobs"]),
        )
        for entry in entries
    ]
