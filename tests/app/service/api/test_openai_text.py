from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from tests.app.service.fakes import TOKEN, FakeWorld, Running


async def test_whole_completion(running: Running, world: FakeWorld) -> None:
    async with openai.AsyncOpenAI(base_url=f"{running.base_url}/v1", api_key=TOKEN, max_retries=0) as client:
        answer = await client.completions.create(model="", prompt=["one two", "three"], n=2, seed=1, logprobs=1)
    assert [(choice.index, choice.text, choice.finish_reason) for choice in answer.choices] == [
        (index, "你好，world", "stop") for index in range(4)
    ]
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert (logprobs.tokens, logprobs.text_offset) == (["你好", "，", "world"], [0, 2, 3])
    assert logprobs.token_logprobs == [-9999.0] * 3 and logprobs.top_logprobs == [{"t0": -1.0}] * 3
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 12)
    asked = world.engines[0].requests
    assert sorted((request.text.text, request.sampling.seed) for request in asked if request.text) == [
        ("one two", 1),
        ("one two", 2),
        ("three", 1),
        ("three", 2),
    ]
    assert {request.max_tokens for request in asked} == {16}


async def test_stream(running: Running) -> None:
    body = {"prompt": "x", "stream": True, "logprobs": 0, "stream_options": {"include_usage": True}}
    reply = await running.http.post("/v1/completions", json=body)
    frames = reply.text.split("\n\n")
    assert frames[-2] == "data: [DONE]"
    chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]
    assert [chunk["choices"][0]["text"] for chunk in chunks[:-1]] == ["你好", "，", "world", ""]
    assert [chunk["choices"][0]["logprobs"]["text_offset"] for chunk in chunks[:-2]] == [[0], [2], [3]]
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["total_tokens"] == 4
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": [[1], [2]]}, "prompt"),
        ({"prompt": ["x"] * 17}, "prompt"),
        ({"prompt": "x", "echo": True}, "echo"),
        ({"prompt": "x", "suffix": "y"}, "suffix"),
        ({"prompt": "x", "best_of": 3}, "best_of"),
        ({"prompt": "x", "logit_bias": {"a": 1}}, "logit_bias"),
    ],
)
async def test_refusals(running: Running, body: dict[str, Any], parameter: str) -> None:
    reply = await running.http.post("/v1/completions", json=body)
    assert reply.status_code == 400 and parameter in reply.json()["error"]["param"]
