from __future__ import annotations

import asyncio
import os
from pathlib import Path

from app.client.http import ServiceClient
from app.errors import RemoteError
from tests.app.service.fakes import TOKEN, Running, until


async def test_status(running: Running) -> None:
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    status = await running.ask("GET", "/status")
    assert (status["pid"], status["base_url"]) == (os.getpid(), running.base_url)
    assert [(engine["model"], engine["state"]) for engine in status["engines"]] == [("qwen-small", "ready")]
    assert 0 < status["available_memory_bytes"] <= status["total_memory_bytes"]


async def test_settings_are_checked_kept_and_announced(running: Running) -> None:
    async with running.events() as events:
        changed = await running.ask("PATCH", "/settings", {"theme": "dark", "context_tokens": 8192})
        await until(events, "settings")
    assert changed == await running.ask("GET", "/settings")
    assert (changed["theme"], changed["language"]) == ("dark", "auto")
    assert (await running.ask("POST", "/engines/load", {"model": ""}))["context_tokens"] == 8192
    for wrong in ({"theme": "pink"}, {"colour": 1}):
        reply = await running.http.patch("/liangli/v1/settings", json=wrong)
        assert reply.status_code == 422 and reply.json()["error"]["code"] == "SettingInvalid"


async def test_events_can_be_taken_up_again(running: Running) -> None:
    async with running.events() as events:
        await running.ask("POST", "/chats", {"title": "one"})
        async for event in events:
            if event["kind"] == "chat":
                break
    await running.ask("POST", "/chats", {"title": "two"})
    async with running.events(after=event["number"]) as events:
        assert (await until(events, "chat"))["title"] == "two"
    async with running.events(after=1) as events:
        await until(events, "gap")


async def test_loading_and_unloading_are_announced(running: Running) -> None:
    async with running.events() as events:
        await running.ask("POST", "/engines/load", {"model": "qwen-small"})
        await until(events, "engine", state="loading", load_fraction=0.5)
        await until(events, "engine", state="ready")
        await running.ask("POST", "/engines/unload", {"model": "qwen-small"})
        await until(events, "engine_unloaded", model="qwen-small")
    missing = await running.http.post(
        "/liangli/v1/engines/load", json={"model": "gpt-4"}, headers={"Accept-Language": "zh"}
    )
    assert missing.status_code == 404
    assert missing.json()["error"]["fields"] == {"model": "gpt-4", "available": ["qwen-small"]}
    assert "gpt-4" in missing.json()["error"]["message"] and "没有" in missing.json()["error"]["message"]


async def test_importing_a_model(running: Running, tmp_path: Path) -> None:
    async with running.events() as events:
        added = await running.ask("POST", "/models/import", {"path": str(tmp_path / "mine.gguf")})
        await until(events, "models")
    assert added["id"] == "mine"
    assert [model["id"] for model in await running.ask("GET", "/models")] == ["qwen-small", "mine"]
    relative = await running.http.post("/liangli/v1/models/import", json={"path": "mine.gguf"})
    assert relative.status_code == 400


async def test_shutdown_says_bye_and_ends(running: Running) -> None:
    async with running.events() as events:
        await running.ask("POST", "/shutdown")
        await until(events, "bye")
        async with asyncio.timeout(5):
            assert [event async for event in events] == []


async def test_the_faces_client_understands_everything(running: Running) -> None:
    def talk() -> None:
        with ServiceClient(running.base_url, TOKEN, "zh") as client:
            chat = client.create_chat(title="t")
            happenings = client.events()
            exchange = client.send_message(chat.summary.id, "hi", sampling={"temperature": 0.5})
            while next(happenings).kind != "delta":
                pass
            for event in happenings:
                if event.kind == "message" and event.data["state"] == "complete":
                    break
            whole = client.chat(chat.summary.id)
            assert [message.id for message in whole.messages] == [exchange.user.id, exchange.assistant.id]
            assert whole.messages[1].text == "你好，world" and whole.messages[1].stats is not None
            client.regenerate(chat.summary.id, exchange.assistant.id)
            client.show_branch(chat.summary.id, exchange.assistant.id)
            assert [model.id for model in client.models()] == ["qwen-small"]
            assert client.status().engines[0].state == "ready"
            assert client.starter_offers() and client.fetches() == []
            chunks = list(client.chat_completion("", [{"role": "user", "content": "hi"}]))
            assert "".join(chunk.text for chunk in chunks) == "你好，world"
            client.delete_chat(chat.summary.id)
            try:
                client.chat(chat.summary.id)
            except RemoteError as error:
                assert (error.code, error.http_status) == ("ChatMissing", 404)
            else:
                raise AssertionError

    await asyncio.to_thread(talk)
