"""The conversations that templates are examined with. Every text in them is a word that no template holds."""

from __future__ import annotations

from typing import Any

from inference.values import ChatMessage

SYSTEM = "系统提示zqsys"
FIRST = "第一问zqone"
ANSWER = "第一答zqans"
SECOND = "第二问zqtwo"
ANSWER_2 = "第二答zqbns"
THIRD = "第三问zqtri"
REASONING = "想一想zqthk"
RESULT = "晴朗zqres"
CITY = "北京zqcty"
TOOL_NAME = "zq_weather"
TOOL_WORDS = "查天气zqdsc"

TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": TOOL_NAME,
        "description": TOOL_WORDS,
        "parameters": {
            "type": "object",
            "properties": {"zqcity": {"type": "string", "description": "城市"}},
            "required": ["zqcity"],
        },
    },
}
_CALL = {"id": "call00001", "type": "function", "function": {"name": TOOL_NAME, "arguments": f'{{"zqcity": "{CITY}"}}'}}


def said(role: str, content: str, reasoning: str = "", **extra: Any) -> ChatMessage:
    """One message."""
    return ChatMessage(role=role, content=content, reasoning=reasoning, extra=extra)


def system(content: str = SYSTEM) -> ChatMessage:
    """Instructions."""
    return said("system", content)


def user(content: str = FIRST) -> ChatMessage:
    """A question."""
    return said("user", content)


def answer(content: str = ANSWER, reasoning: str = "") -> ChatMessage:
    """An answer."""
    return said("assistant", content, reasoning)


def call(content: str = "", reasoning: str = "") -> ChatMessage:
    """An answer that calls the tool."""
    return said("assistant", content, reasoning, tool_calls=[_CALL])


def result() -> ChatMessage:
    """What the tool said."""
    return said("tool", RESULT, name=TOOL_NAME, tool_call_id="call00001")


TURNS = (user(FIRST), answer(ANSWER), user(SECOND), answer(ANSWER_2), user(THIRD))
