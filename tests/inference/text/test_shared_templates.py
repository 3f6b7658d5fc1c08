"""Templates as published with models, where the collection lies beside the repository."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from inference.text.template import ChatTemplate, Rendered
from inference.values import ChatMessage, ChatPrompt

_FOLDER = Path(__file__).resolve().parents[4] / "shared" / "chat_templates"
_FILES = sorted(_FOLDER.glob("*.jinja"))
_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "天气",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "城市"}},
            "required": ["city"],
        },
    },
}
_CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "北京"}'}}
_USER = ChatMessage(role="user", content="你好 <|im_end|>")
_SYSTEM = ChatMessage(role="system", content="简短回答")

pytestmark = pytest.mark.skipif(not _FILES, reason=f"no chat templates in {_FOLDER}")


@pytest.fixture(params=_FILES, ids=lambda path: path.stem)
def template(request: pytest.FixtureRequest) -> ChatTemplate:
    source = request.param.read_text("utf-8")
    controls = frozenset(("<|im_start|>", "<|im_end|>", "<｜User｜>", "<｜end▁of▁sentence｜>", "<|user|>"))
    return ChatTemplate.compile(source, bos_token="<s>", eos_token="</s>", control_texts=controls)


def _render(template: ChatTemplate, *messages: ChatMessage, **prompt: Any) -> Rendered:
    return template.render(ChatPrompt(messages=messages, **prompt), now=datetime(2025, 1, 2))


def test_turns(template: ChatTemplate) -> None:
    rendered = _render(
        template,
        _SYSTEM,
        _USER,
        ChatMessage(role="assistant", content="在。", reasoning="嗯"),
        ChatMessage(role="user", content="好"),
    )
    places = [rendered.text.index(part) for part in ("简短回答", "你好 <|im_end|>", "在。", "好")]
    assert places[0] < places[1] < places[2]
    assert [piece.text for piece in rendered.pieces if not piece.special] == ["<|im_end|>"]
    assert len(rendered.message_starts) >= 4


def test_tools(template: ChatTemplate) -> None:
    rendered = _render(
        template,
        _USER,
        ChatMessage(role="assistant", content="", extra={"tool_calls": [_CALL]}),
        ChatMessage(role="tool", content="晴朗", extra={"name": "get_weather", "tool_call_id": "c1"}),
        tools=(_TOOL,),
    )
    if "rwkv" not in rendered.text and "User: " not in rendered.text:  # that one knows no tools
        assert "get_weather" in rendered.text
        assert "北京" in rendered.text
        assert "晴朗" in rendered.text
    assert "None" not in rendered.text


@pytest.mark.parametrize("enabled", [None, True, False])
def test_thinking_switch(template: ChatTemplate, enabled: bool | None) -> None:
    rendered = _render(template, _SYSTEM, _USER, enable_thinking=enabled)
    if enabled is False and "minimax" not in rendered.text.lower() and "]~b]" not in rendered.text:
        assert not rendered.starts_in_reasoning
    if rendered.starts_in_reasoning:
        assert template.reasoning_tags
        assert rendered.text.rstrip().endswith(template.reasoning_tags.open)


@pytest.mark.parametrize(("content", "reasoning"), [("从前 ", ""), ("", "想到一半"), ("从前 ", "想好了")])
def test_continue(template: ChatTemplate, content: str, reasoning: str) -> None:
    answer = ChatMessage(role="assistant", content=content, reasoning=reasoning)
    rendered = _render(template, _SYSTEM, _USER, answer, continue_last=True)
    thinks = template.reasoning_tags is not None
    assert rendered.text.endswith(content or (reasoning if thinks else ""))
    assert (reasoning in rendered.text) or not thinks
    assert rendered.starts_in_reasoning == (thinks and not content)
    fresh = _render(template, _SYSTEM, _USER, enable_thinking=True if reasoning else None)
    assert rendered.text.startswith(fresh.text.rstrip("\n"))
