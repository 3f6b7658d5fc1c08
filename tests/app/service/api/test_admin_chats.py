from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from inference.errors import ModelLoadFailed
from tests.app.service.fakes import FakeWorld, Running, running_service, until


async def new_chat(running: Running, **fields: Any) -> str:
    chat = await running.ask("POST", "/chats", fields)
    return str(chat["summary"]["id"])


async def send(running: Running, chat: str, text: str, **fields: Any) -> tuple[str, str]:
    both = await running.ask("POST", f"/chats/{chat}/messages", {"text": text, **fields})
    return str(both["user"]["id"]), str(both["assistant"]["id"])


async def messages(running: Running, chat: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await running.ask("GET", f"/chats/{chat}"))["messages"]
    return found


async def test_an_answer_is_streamed_and_kept(running: Running) -> None:
    running.world.script.reasoning = ("hm",)
    chat = await new_chat(running, system_prompt="be kind")
    async with running.events() as events:
        user, answer = await send(running, chat, "你好 吗", sampling={"temperature": 0, "seed": 4}, max_tokens=50)
        text = reasoning = ""
        async with asyncio.timeout(5):
            async for event in events:
                data = event["data"]
                if event["kind"] == "delta":
                    assert (data["offset"], data["reasoning_offset"]) == (len(text), len(reasoning))
                    text, reasoning = text + data["text"], reasoning + data["reasoning"]
                if event["kind"] == "message" and data["id"] == answer and data["state"] != "streaming":
                    break
        assert (text, reasoning) == ("你好，world", "hm")
        summary = await until(events, "chat", busy=False)
    assert summary["title"] == "你好 吗" and summary["model"] == "qwen-small"
    first, second = await messages(running, chat)
    assert (first["id"], first["role"], first["text"], first["state"]) == (user, "user", "你好 吗", "complete")
    assert (second["id"], second["text"], second["reasoning"], second["state"]) == (answer, text, "hm", "complete")
    assert (second["stats"]["prompt_tokens"], second["stats"]["completion_tokens"], second["stats"]["seed"]) == (
        4,
        3,
        4,
    )
    request = running.world.engines[0].requests[0]
    assert request.interactive and request.max_tokens == 50 and request.sampling.temperature == 0
    assert request.chat is not None
    assert [message.content for message in request.chat.messages] == ["be kind", "你好 吗"]


async def test_text_so_far_is_in_the_chat_and_saved_while_it_is_written(running: Running, world: FakeWorld) -> None:
    world.script.gated_from = 2
    chat = await new_chat(running)
    async with running.events() as events:
        _, answer = await send(running, chat, "hi")
        await until(events, "delta", offset=2)
    assert (await messages(running, chat))[1]["text"] == "你好，"
    assert (await running.ask("GET", "/chats"))[0]["busy"]
    busy = await running.http.post(f"/liangli/v1/chats/{chat}/messages", json={"text": "more"})
    assert busy.status_code == 409 and busy.json()["error"]["code"] == "ChatBusy"
    stopped = await running.ask("POST", f"/chats/{chat}/stop", {"message_id": answer})
    assert (stopped["state"], stopped["text"], stopped["error"]) == ("stopped", "你好，", None)
    assert world.engines[0].cancelled == [world.engines[0].requests[-1].request_id]
    again = await running.ask("POST", f"/chats/{chat}/stop", {"message_id": answer})
    assert again == stopped


async def test_continue_appends_to_the_same_message(running: Running, world: FakeWorld) -> None:
    world.script.finish = "length"
    chat = await new_chat(running)
    async with running.events() as events:
        _, answer = await send(running, chat, "hi", enable_thinking=False)
        assert (await until(events, "message", id=answer, state="length"))["text"] == "你好，world"
        world.script.pieces, world.script.finish = ("!", "?"), "stop"
        reopened = await running.ask("POST", f"/chats/{chat}/continue", {"message_id": answer})
        assert (reopened["id"], reopened["state"]) == (answer, "streaming")
        assert (await until(events, "delta"))["offset"] == len("你好，world")
        assert (await until(events, "message", id=answer, state="complete"))["text"] == "你好，world!?"
    first, second = world.engines[0].requests
    # The last event of the first may still be on its way when the second begins.
    assert first.request_id != second.request_id
    prompt = second.chat
    assert prompt is not None and prompt.continue_last and prompt.messages[-1].content == "你好，world"
    assert prompt.enable_thinking is False
    user = (await messages(running, chat))[0]["id"]
    refused = await running.http.post(f"/liangli/v1/chats/{chat}/continue", json={"message_id": user})
    assert refused.status_code == 400


async def test_regenerate_edit_and_branches(running: Running, world: FakeWorld) -> None:
    chat = await new_chat(running)
    async with running.events() as events:
        user, first = await send(running, chat, "hi", sampling={"seed": 1})
        await until(events, "message", id=first, state="complete")
        second = (await running.ask("POST", f"/chats/{chat}/regenerate", {"message_id": first}))["id"]
        await until(events, "message", id=second, state="complete")
        assert [message["id"] for message in await messages(running, chat)] == [user, second]
        assert (await messages(running, chat))[1]["sibling_ids"] == [first, second]
        assert [request.sampling.seed for request in world.engines[0].requests] == [1, None]
        edited, third = await send(running, chat, "hello", parent_id=None)
        await until(events, "message", id=third, state="complete")
        assert [message["id"] for message in await messages(running, chat)] == [edited, third]
        shown = await running.ask("POST", f"/chats/{chat}/branch", {"message_id": user})
        assert [message["id"] for message in shown["messages"]] == [user, second]
        follow, fourth = await send(running, chat, "and?")
        await until(events, "message", id=fourth, state="complete")
    assert [message["id"] for message in await messages(running, chat)] == [user, second, follow, fourth]


async def test_engine_death_keeps_the_text_and_the_next_answer_comes(running: Running, world: FakeWorld) -> None:
    world.script.gated_from = 1
    chat, other = await new_chat(running), await new_chat(running)
    async with running.events() as events:
        _, answer = await send(running, chat, "hi")
        await until(events, "delta")
        world.engines[0].die("out_of_memory")
        dead = await until(events, "message", id=answer, state="interrupted")
        assert dead["text"] == "你好"
        assert dead["error"]["code"] == "EngineDied" and dead["error"]["fields"]["cause"] == "out_of_memory"
        world.script.gated_from = None
        _, next_answer = await send(running, other, "still there?")
        assert (await until(events, "message", id=next_answer, state="complete"))["text"] == "你好，world"
        await running.ask("POST", f"/chats/{chat}/continue", {"message_id": answer})
        assert (await until(events, "message", id=answer, state="complete"))["text"] == "你好你好，world"
    assert (await running.ask("GET", "/status"))["engines"][0]["restarts"] == 1


async def test_a_model_that_cannot_be_loaded_fails_the_answer_in_words(running: Running, world: FakeWorld) -> None:
    world.load_error = ModelLoadFailed(path="/models/x.gguf", detail="bad tensor")
    chat = await new_chat(running)
    async with running.events() as events:
        _, answer = await send(running, chat, "hi")
        failed = await until(events, "message", id=answer, state="failed")
        assert failed["error"] == {
            "code": "ModelLoadFailed",
            "fields": {"path": "/models/x.gguf", "detail": "bad tensor"},
        }
        world.load_error = None
        again = (await running.ask("POST", f"/chats/{chat}/regenerate", {"message_id": answer}))["id"]
        await until(events, "message", id=again, state="complete")


async def test_answers_survive_the_end_of_the_service(tmp_path: Path, world: FakeWorld) -> None:
    world.script.gated_from = 2
    async with running_service(tmp_path / "data", world) as running:
        chat = await new_chat(running, title="kept")
        async with running.events() as events:
            _, answer = await send(running, chat, "hi")
            await until(events, "delta", offset=2)
            running.stop()
            await until(events, "message", id=answer, state="interrupted")
    assert world.engines[0].closed
    async with running_service(tmp_path / "data", FakeWorld()) as running:
        kept = (await messages(running, chat))[1]
        assert (kept["state"], kept["text"]) == ("interrupted", "你好，")
        assert [one["title"] for one in await running.ask("GET", "/chats")] == ["kept"]


async def test_changing_and_deleting(running: Running, world: FakeWorld) -> None:
    world.script.gated_from = 0
    chat = await new_chat(running)
    changed = await running.ask("PATCH", f"/chats/{chat}", {"title": "名字", "system_prompt": "x"})
    assert (changed["summary"]["title"], changed["system_prompt"]) == ("名字", "x")
    async with running.events() as events:
        await send(running, chat, "hi")
        await world.started.wait()
        await world.engines[0].asked(1)
        await running.ask("DELETE", f"/chats/{chat}")
        await until(events, "chat_deleted", id=chat)
    await world.engines[0].gave_up(1)
    assert await running.ask("GET", "/chats") == []
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/messages")):
        reply = await running.http.request(method, f"/liangli/v1/chats/{chat}{path}", json={"text": "x"})
        assert reply.status_code == 404 and reply.json()["error"]["code"] == "ChatMissing"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "x", "sampling": {"temprature": 1}},
        {"text": "x", "max_tokens": 0},
        {"text": "\ud800"},
    ],
)
async def test_bad_messages_are_refused_and_nothing_is_kept(running: Running, body: dict[str, Any]) -> None:
    chat = await new_chat(running)
    reply = await running.http.post(
        f"/liangli/v1/chats/{chat}/messages", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "BadRequest"
    assert await messages(running, chat) == []


async def test_without_a_model_nothing_is_kept(running: Running) -> None:
    running.world.shelf_models.clear()
    chat = await new_chat(running)
    reply = await running.http.post(
        f"/liangli/v1/chats/{chat}/messages", json={"text": "hi"}, headers={"Accept-Language": "zh-CN,zh;q=0.9"}
    )
    assert reply.json()["error"]["code"] == "NoModelInstalled" and "模型" in reply.json()["error"]["message"]
    assert await messages(running, chat) == []
