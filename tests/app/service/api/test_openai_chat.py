from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.app.service.fakes import TOKEN, FakeWorld, Running, model

HELLO: list[Any] = [{"role": "user", "content": "say hello"}]


@pytest.fixture
async def client(running: Running) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{running.base_url}/v1", api_key=TOKEN, max_retries=0) as one:
        yield one


async def test_whole_answer(client: openai.AsyncOpenAI, world: FakeWorld) -> None:
    world.script.reasoning = ("hm",)
    answer = await client.chat.completions.create(
        model="qwen-small",
        messages=[{"role": "developer", "content": "be short"}, *HELLO],
        temperature=0,
        seed=5,
        stop=["END", "。"],
        max_completion_tokens=9,
        extra_body={"top_k": 3, "min_p": 0.1, "enable_thinking": False, "unheard_of": 1},
    )
    choice = answer.choices[0]
    assert choice.message.content == "你好，world"
    assert choice.message.role == "assistant"
    assert choice.message.model_extra == {"reasoning_content": "hm"}
    assert choice.finish_reason == "stop"
    assert answer.usage is not None and answer.usage.prompt_tokens_details is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (4, 3, 7)
    assert answer.usage.prompt_tokens_details.cached_tokens == 1
    assert answer.model == "qwen-small" and answer.id.startswith("chatcmpl-") and answer.system_fingerprint
    request = world.engines[0].requests[0]
    assert request.chat is not None
    assert [message.role for message in request.chat.messages] == ["system", "user"]
    assert request.chat.enable_thinking is False
    assert (request.sampling.temperature, request.sampling.seed, request.sampling.top_k) == (0, 5, 3)
    assert request.stop == ("END", "。") and request.max_tokens == 9 and not request.interactive


async def test_stream(client: openai.AsyncOpenAI, world: FakeWorld) -> None:
    world.script.reasoning = ("let me ", "think")
    world.script.finish = "length"
    stream = await client.chat.completions.create(
        model="default", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant" and chunks[0].choices[0].delta.content == ""
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "你好，world"
    thought = [(c.choices[0].delta.model_extra or {}).get("reasoning_content", "") for c in chunks if c.choices]
    assert "".join(thought) == "let me think"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert chunks[-1].choices == [] and chunks[-1].usage is not None and chunks[-1].usage.total_tokens == 5
    assert len({chunk.id for chunk in chunks}) == 1


async def test_stream_without_usage_is_exact(running: Running) -> None:
    running.world.script.pieces = ("a", "b")
    reply = await running.http.post("/v1/chat/completions", json={"messages": HELLO, "stream": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    frames = reply.text.split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": ""},
        {"content": "a"},
        {"content": "b"},
        {},
    ]
    assert all("usage" not in chunk for chunk in chunks)


async def test_sync_client(running: Running) -> None:
    def ask() -> tuple[str | None, list[str]]:
        with openai.OpenAI(base_url=f"{running.base_url}/v1", api_key=TOKEN, max_retries=0) as client:
            answer = client.chat.completions.create(model="qwen-small", messages=HELLO)
            return answer.choices[0].message.content, [one.id for one in client.models.list()]

    assert await asyncio.to_thread(ask) == ("你好，world", ["qwen-small"])


async def test_several_choices_have_seeds_in_a_row(client: openai.AsyncOpenAI, world: FakeWorld) -> None:
    answer = await client.chat.completions.create(model="qwen-small", messages=HELLO, n=3, seed=10)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert sorted(request.sampling.seed or 0 for request in world.engines[0].requests) == [10, 11, 12]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 9)
    stream = await client.chat.completions.create(model="qwen-small", messages=HELLO, n=2, stream=True)
    texts = {0: "", 1: ""}
    async for chunk in stream:
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == {0: "你好，world", 1: "你好，world"}


async def test_logprobs(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="", messages=HELLO, logprobs=True, top_logprobs=2)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.content is not None
    assert [token.token for token in logprobs.content] == ["你好", "，", "world"]
    assert logprobs.content[0].logprob == -9999.0  # JSON has no infinity
    assert logprobs.content[0].bytes == list("你好".encode())
    assert [top.token for top in logprobs.content[0].top_logprobs] == ["t0", "t1"]


async def test_tools_and_tool_messages_reach_the_template(client: openai.AsyncOpenAI, world: FakeWorld) -> None:
    tool = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}
    call = {"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    messages: list[Any] = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "12:00"}]},
    ]
    await client.chat.completions.create(model="", messages=messages, tools=[tool])  # type: ignore[list-item]
    prompt = world.engines[0].requests[0].chat
    assert prompt is not None and prompt.tools == (tool,)
    assert prompt.messages[1].extra == {"tool_calls": [call]} and prompt.messages[1].content == ""
    assert prompt.messages[2].content == "12:00" and prompt.messages[2].extra == {"tool_call_id": "1"}


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "content"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages"),
        ({"temperature": -1}, "temperature"),
        ({"n": 0}, "n"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": ""}, "stop"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(
    running: Running, change: dict[str, Any], parameter: str
) -> None:
    reply = await running.http.post("/v1/chat/completions", json={"messages": HELLO, **change})
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error" and parameter in error["param"] and error["message"]
    assert not running.world.engines


async def test_broken_bodies(running: Running) -> None:
    headers = {"content-type": "application/json"}
    for body in (
        b"{",
        b"[" * 100_000,
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"messages": [{"role": "user", "content": "x", "name": "\\ud800"}]}',
        b'{"messages": [{"role": "user", "content": "x"}], "temperature": NaN}',
        b"\xff\xfe",
    ):
        reply = await running.http.post("/v1/chat/completions", content=body, headers=headers)
        assert reply.status_code == 400, body[:60]
        assert reply.json()["error"]["type"] == "invalid_request_error"


async def test_errors_in_the_words_of_the_dialect(client: openai.AsyncOpenAI, world: FakeWorld) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="gpt-4", messages=HELLO)
    assert missing.value.code == "model_not_found" and missing.value.param == "model"
    assert isinstance(missing.value.body, dict)
    assert missing.value.body["liangli"]["code"] == "ModelMissing"  # for our own faces
    world.context_tokens = 3
    long: list[Any] = [{"role": "user", "content": "one two three four five"}]
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as overflow:
            await client.chat.completions.create(model="", messages=long, stream=stream)
        assert overflow.value.code == "context_length_exceeded"
        assert "5" in overflow.value.message and "3" in overflow.value.message
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="wrong").models.list()
    world.shelf_models.clear()
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.create(model="nothing-here", messages=HELLO)


async def test_engine_death_in_a_stream_is_an_error_event(client: openai.AsyncOpenAI, world: FakeWorld) -> None:
    world.script.gated_from = 1
    stream = await client.chat.completions.create(model="", messages=HELLO, stream=True)
    received = ""
    with pytest.raises(openai.APIError) as died:
        async for chunk in stream:
            received += chunk.choices[0].delta.content or ""
            if received:
                world.engines[0].die()
    assert received == "你好" and died.value.code == "engine_died"
    world.script.gated_from = None
    again = await client.chat.completions.create(model="", messages=HELLO)
    assert again.choices[0].message.content == "你好，world"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_cancels_its_answer(running: Running, stream: bool) -> None:
    world = running.world
    world.script.gated_from = 0
    body = {"messages": HELLO, "stream": stream, "n": 2}
    asking = asyncio.create_task(running.http.post("/v1/chat/completions", json=body))
    await world.started.wait()
    async with asyncio.timeout(5):
        await world.engines[0].asked(2)
    asking.cancel()
    async with asyncio.timeout(5):
        await world.engines[0].gave_up(2)
    assert running.service.engines.statuses()[0].running_requests == 0


async def test_model_names(running: Running, client: openai.AsyncOpenAI) -> None:
    running.world.shelf_models.append(model("qwen-large", added_at=2.0))
    listed = [one.id async for one in client.models.list()]
    assert listed == ["qwen-small", "qwen-large"]
    assert (await client.models.retrieve("qwen-large")).id == "qwen-large"
    for name, found in (("QWEN-LARGE", "qwen-large"), ("small", "qwen-small"), ("", "qwen-small")):
        answer = await client.chat.completions.create(model=name, messages=HELLO)
        assert answer.model == found
    with pytest.raises(openai.NotFoundError):  # could be either
        await client.chat.completions.create(model="qwen", messages=HELLO)
