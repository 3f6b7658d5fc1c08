"""Answers read from the OpenAI routes of a server."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.cli.bench.answers import Answer, Asker, Server, piece_of, tokens_of
from app.cli.bench.parts.streams import together_per_second

CHUNKS: list[dict[str, Any]] = [
    {"choices": [{"delta": {"role": "assistant", "content": None}}]},
    {"choices": [{"delta": {"content": "你"}}]},
    {"choices": [{"delta": {"content": "好"}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
]
WHOLE = {
    "choices": [{"message": {"role": "assistant", "content": "你好"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3},
}


def stream(chunks: list[dict[str, Any]]) -> bytes:
    return (
        b": heart-beat\n\n"
        + b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in chunks)
        + b"data: [DONE]\n\n"
    )


def asker(body: bytes, *, counts_end: bool = False, status: int = 200) -> Asker:
    server = Server(name="fake", base_url="http://fake", token="", model="m", extra={}, counts_end=counts_end)
    return Asker(server, transport=httpx.MockTransport(lambda request: httpx.Response(status, content=body)))


async def test_a_stream_is_put_together() -> None:
    async with asker(stream(CHUNKS), counts_end=True) as one:
        answer = await one.chat("?", max_tokens=8)
    assert (answer.text, answer.finish_reason, answer.shown_tokens) == ("你好", "stop", 2)
    assert answer.sent_at < answer.first_at <= answer.last_at


async def test_a_whole_reply_says_the_same() -> None:
    async with asker(json.dumps(WHOLE).encode()) as one:
        answer = await one.chat("?", max_tokens=8, stream=False)
    assert (answer.text, answer.finish_reason, answer.shown_tokens) == ("你好", "stop", 3)


async def test_a_refusal_is_an_error_with_its_text() -> None:
    async with asker(b"no such model", status=404) as one:
        with pytest.raises(httpx.HTTPStatusError, match="no such model"):
            await one.chat("?", max_tokens=8)


async def test_an_error_inside_a_stream_is_not_taken_for_an_end() -> None:
    async with asker(stream([CHUNKS[1], {"error": {"code": "EngineDied"}}])) as one:
        with pytest.raises(ValueError, match="EngineDied"):
            await one.chat("?", max_tokens=8)


def test_the_text_of_plain_continuation() -> None:
    assert piece_of({"text": " 17,"}) == " 17,"


def test_tokens_come_with_their_bytes_and_rivals() -> None:
    entry = {"token": "好", "bytes": [229, 165, 189], "logprob": -0.5}
    end = {"token": "", "bytes": [], "logprob": -0.9}
    (token,) = tokens_of({"logprobs": {"content": [{**entry, "top_logprobs": [entry, end]}]}})
    assert token.raw.decode() == "好"
    assert token.top == ((b"\xe5\xa5\xbd", -0.5), (b"", -0.9))
    assert tokens_of({"logprobs": None}) == []


def test_the_speed_of_answers_that_ran_at_once() -> None:
    def answer(sent_at: float, last_at: float, tokens: int) -> Answer:
        return Answer(
            text="x", finish_reason="stop", shown_tokens=tokens, sent_at=sent_at, first_at=sent_at, last_at=last_at
        )

    assert together_per_second([answer(10.0, 12.0, 30), answer(10.5, 14.0, 50)]) == 20.0


def test_the_time_per_token_leaves_the_first_one_out() -> None:
    answer = Answer(text="x", finish_reason="length", shown_tokens=5, sent_at=0.0, first_at=1.0, last_at=3.0)
    assert (answer.first_seconds, answer.token_seconds) == (1.0, 0.5)
