from __future__ import annotations

import asyncio
import sqlite3

import pytest

from app.service.chats import answers, store
from app.service.chats.wish import AnswerWish
from tests.app.service.fakes import Running, until


async def test_text_is_on_the_disk_while_it_is_written(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SAVE_SECONDS", 0.01)
    running.world.script.gated_from = 2
    chat = (await running.ask("POST", "/chats", {}))["summary"]["id"]
    await running.ask("POST", f"/chats/{chat}/messages", {"text": "hi"})
    async with asyncio.timeout(5):
        while True:
            message = (await running.service.database.run(store.chat, chat)).messages[1]
            if message.text == "你好，" and message.state == "streaming":
                return


async def test_an_answer_that_the_disk_refuses_waits_and_is_kept_later(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SAVE_SECONDS", 0.01)
    full = True
    finish = store.finish_answer

    def finish_if_there_is_room(connection: sqlite3.Connection, *args: str, **kwargs: object) -> None:
        if full:
            raise sqlite3.OperationalError("database or disk is full")
        finish(connection, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "finish_answer", finish_if_there_is_room)
    chat = (await running.ask("POST", "/chats", {}))["summary"]["id"]
    async with running.events() as events:
        answer = (await running.ask("POST", f"/chats/{chat}/messages", {"text": "hi"}))["assistant"]["id"]
        await until(events, "delta", offset=3)
        async with asyncio.timeout(5):
            while (await running.ask("GET", f"/chats/{chat}"))["messages"][1]["state"] == "streaming":
                pass
        assert (await running.ask("GET", f"/chats/{chat}"))["messages"][1]["text"] == "你好，world"
        full = False
        assert (await until(events, "message", id=answer, state="complete"))["text"] == "你好，world"


async def test_an_answer_can_be_stopped_before_its_first_step(running: Running) -> None:
    chat = (await running.ask("POST", "/chats", {}))["summary"]["id"]
    running.world.script.gated_from = 0
    _, answer = await running.service.chats.send_at_end(chat, "hi", None, AnswerWish())
    stopped = await running.service.chats.stop(chat, answer.id)
    assert (stopped.state, stopped.text) == ("stopped", "")
