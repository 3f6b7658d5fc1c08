"""The prompt of a message as a real engine child (with the scripted model) tells it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.app.service.fakes import running_service
from tests.app.service.test_real_child import ScriptedWorld, ask

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs an engine child")


async def test_what_the_model_reads(tmp_path: Path) -> None:
    async with running_service(tmp_path / "data", ScriptedWorld()) as running:
        chat = (await running.ask("POST", "/chats", {"system_prompt": "简短"}))["summary"]["id"]
        loaded = await running.ask("POST", "/engines/load", {})
        answer = await ask(running, chat, "a")
        path = f"/chats/{chat}/messages/{answer}/prompt"
        shown = await running.ask("GET", path)
        expected = "<|im_start|>system\n简短<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"
        marks = expected.count("<|im_start|>") + expected.count("<|im_end|>")
        plain = expected.replace("<|im_start|>", "").replace("<|im_end|>", "")
        assert shown == {
            "model": loaded["model"],
            "text": expected,
            "prompt_tokens": marks + len(plain.encode()),
            "chat_profile": None,
        }
        await running.ask("POST", f"/chats/{chat}/stop", {"message_id": answer})
        await running.ask("POST", "/engines/load", {"model": loaded["model"], "chat_profile": "baichuan"})
        shown = await running.ask("GET", path)
        assert (shown["text"], shown["prompt_tokens"]) == ("简短<|195|>a<|196|>", 6 + 3)
