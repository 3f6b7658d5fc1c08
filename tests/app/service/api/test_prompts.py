"""The exact prompt of a message over HTTP, and the choice of a built-in chat profile."""

from __future__ import annotations

from typing import Any

from tests.app.service.fakes import Running


async def _chat(running: Running) -> tuple[str, str, str]:
    chat = (await running.ask("POST", "/chats", {"system_prompt": "be kind"}))["summary"]["id"]
    both = await running.ask("POST", f"/chats/{chat}/messages", {"text": "你好 吗"})
    return chat, both["user"]["id"], both["assistant"]["id"]


async def _refused(running: Running, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    reply = await running.http.request(method, f"/liangli/v1{path}", json=body)
    return reply.status_code, reply.json()["error"]


async def test_the_prompt_of_an_answer_and_of_a_question(running: Running) -> None:
    chat, user, answer = await _chat(running)
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    expected = {
        "model": "qwen-small",
        "text": "system: be kind\nuser: 你好 吗",
        "prompt_tokens": 6,
        "chat_profile": None,
    }
    for message in (user, answer):
        assert await running.ask("GET", f"/chats/{chat}/messages/{message}/prompt") == expected


async def test_without_the_model_in_memory_it_is_said(running: Running) -> None:
    chat, _, answer = await _chat(running)
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    await running.ask("POST", f"/chats/{chat}/stop", {"message_id": answer})
    await running.ask("POST", "/engines/unload", {"model": "qwen-small"})
    status, error = await _refused(running, "GET", f"/chats/{chat}/messages/{answer}/prompt")
    assert (status, error["code"], error["fields"]) == (409, "ModelNotLoaded", {"model": "qwen-small"})
    assert running.world.loads == 1


async def test_a_profile_for_one_load(running: Running) -> None:
    status = await running.ask("POST", "/engines/load", {"model": "qwen-small", "chat_profile": "chatml"})
    assert status["chat_profile"] == "chatml"
    assert running.world.engines[-1].plan.chat_profile == "chatml"
    # Without a word about it nothing changes; "" is the file's own template.
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    assert running.world.loads == 1
    status = await running.ask("POST", "/engines/load", {"model": "qwen-small", "chat_profile": ""})
    assert (status["chat_profile"], running.world.loads) == (None, 2)


async def test_a_profile_in_the_settings(running: Running) -> None:
    changed = await running.ask("PATCH", "/settings", {"chat_profiles": {"qwen-small": "yi"}})
    assert changed["chat_profiles"] == {"qwen-small": "yi"}
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    assert running.world.engines[-1].plan.chat_profile == "yi"
    status, error = await _refused(running, "PATCH", "/settings", {"chat_profiles": {"qwen-small": 1}})
    assert (status, error["code"]) == (422, "SettingInvalid")


async def test_an_unknown_profile(running: Running) -> None:
    status, error = await _refused(running, "POST", "/engines/load", {"model": "qwen-small", "chat_profile": "x"})
    assert (status, error["code"]) == (400, "ChatProfileUnknown")
