"""The service over a real engine child (with the scripted model): streamed answers, kills, and no zombies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.service.service import Outside
from inference.worker.client import start_engine
from tests.app.service.fakes import FakeWorld, Running, model, running_service, until


class ScriptedWorld(FakeWorld):
    def outside(self) -> Outside:
        return replace(super().outside(), start_engine=start_engine, available_bytes=lambda: 10**12)


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_service(tmp_path / "data", ScriptedWorld()) as one:
        yield one
    assert not [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]


async def ask(running: Running, chat: str, text: str) -> str:
    both = await running.ask("POST", f"/chats/{chat}/messages", {"text": text})
    return str(both["assistant"]["id"])


async def engine_pid(running: Running) -> int:
    (engine,) = (await running.ask("GET", "/status"))["engines"]
    return int(engine["pid"])


async def test_chats_and_api_side_by_side(scripted: Running) -> None:
    chat = (await scripted.ask("POST", "/chats", {}))["summary"]["id"]

    async def over_api(text: str) -> str:
        body = {"messages": [{"role": "user", "content": text}], "temperature": 0}
        reply: dict[str, Any] = (await scripted.http.post("/v1/chat/completions", json=body)).json()
        return str(reply["choices"][0]["message"]["content"])

    async with scripted.events() as events:
        answer = await ask(scripted, chat, "[[think:嗯]][[say:你好，世界]]")
        texts = [f"[[say:answer {number}]]" for number in range(6)]
        assert await asyncio.gather(*map(over_api, texts)) == [f"answer {number}" for number in range(6)]
        message = await until(events, "message", id=answer, state="complete")
    assert (message["text"], message["reasoning"]) == ("你好，世界", "嗯")
    assert message["stats"]["prompt_tokens"] > 0


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
async def test_a_killed_engine_loses_nothing(scripted: Running) -> None:
    chat = (await scripted.ask("POST", "/chats", {}))["summary"]["id"]
    async with scripted.events() as events:
        answer = await ask(scripted, chat, "[[say:abc]][[repeat:2000]][[sleep:0.01]]")
        await until(events, "delta")
        killed = await engine_pid(scripted)
        os.kill(killed, signal.SIGKILL)
        message = await until(events, "message", id=answer, state="interrupted")
        assert message["text"].startswith("a")
        assert (message["error"]["code"], message["error"]["fields"]["signal"]) == ("EngineDied", signal.SIGKILL)
        after = await ask(scripted, chat, "[[say:still here]]")
        assert (await until(events, "message", id=after, state="complete"))["text"] == "still here"
        assert await engine_pid(scripted) != killed and not psutil.pid_exists(killed)
        answer = await ask(scripted, chat, "[[say:xyz]][[abort:GGML_ASSERT(it is broken):2]]")
        message = await until(events, "message", id=answer, state="interrupted")
        assert "it is broken" in message["error"]["fields"]["detail"]
    kept = (await scripted.ask("GET", f"/chats/{chat}"))["messages"]
    assert [one["state"] for one in kept] == [
        "complete",
        "interrupted",
        "complete",
        "complete",
        "complete",
        "interrupted",
    ]


async def test_a_stopped_answer_frees_the_engine(scripted: Running) -> None:
    chat = (await scripted.ask("POST", "/chats", {}))["summary"]["id"]
    async with scripted.events() as events:
        answer = await ask(scripted, chat, "[[say:abc]][[repeat:2000]][[sleep:0.01]]")
        await until(events, "delta")
        stopped = await scripted.ask("POST", f"/chats/{chat}/stop", {"message_id": answer})
        assert stopped["state"] == "stopped" and stopped["text"]
        pid = await engine_pid(scripted)
        again = (await scripted.ask("POST", f"/chats/{chat}/messages", {"text": "[[say:ok]]"}))["assistant"]["id"]
        assert (await until(events, "message", id=again, state="complete"))["text"] == "ok"
        assert await engine_pid(scripted) == pid
    await scripted.ask("POST", "/engines/unload", {"model": ""})
    assert not psutil.pid_exists(pid)


async def test_a_load_without_memory_is_lowered_and_answers(tmp_path: Path) -> None:
    world = ScriptedWorld()
    # 4,096 tokens of context and a batch of 512: 9.2 MB; with a batch of 128 it fits.
    world.shelf_models = [model("tight-load-memory-6000000")]
    async with running_service(tmp_path / "data", world) as running, running.events() as events:
        chat = (await running.ask("POST", "/chats", {}))["summary"]["id"]
        answer = await ask(running, chat, "[[say:it fits]]")
        changed = await until(events, "plan_changed")
        assert (changed["model"], changed["change"]["kind"]) == ("tight-load-memory-6000000", "batch")
        assert (await until(events, "message", id=answer, state="complete"))["text"] == "it fits"
        (engine,) = (await running.ask("GET", "/status"))["engines"]
        assert [change["fields"]["after_tokens"] for change in engine["changes"]] == [256, 128]


async def test_memory_that_runs_out_in_use_costs_no_answer(tmp_path: Path) -> None:
    world = ScriptedWorld()
    world.shelf_models = [model("tight-use-memory-6000000")]
    async with running_service(tmp_path / "data", world) as running, running.events() as events:
        chat = (await running.ask("POST", "/chats", {}))["summary"]["id"]
        answer = await ask(running, chat, "[[say:still here]]")
        assert (await until(events, "message", id=answer, state="complete"))["text"] == "still here"
        (engine,) = (await running.ask("GET", "/status"))["engines"]
        assert engine["restarts"] == 2 and len(engine["changes"]) == 2
        assert engine["private_bytes"] == 4096 * 1000 + 128 * 10_000


async def test_what_a_child_holds_beyond_its_plan_is_learned(tmp_path: Path) -> None:
    world = ScriptedWorld()
    world.free_bytes = 10**12
    world.shelf_models = [model("fat-extra-memory-5000000", size_bytes=9_000_000)]
    async with running_service(tmp_path / "data", world) as running, running.events() as events:
        chat = (await running.ask("POST", "/chats", {}))["summary"]["id"]
        answer = await ask(running, chat, "[[say:x]]")
        await until(events, "message", id=answer, state="complete")
    planned, held = 9_000_000, 4096 * 1000 + 512 * 10_000 + 5_000_000
    assert world.measured == [("scripted", "scripted", {"CPU": held - planned})]
