"""Chat messages as dictionaries in the style a template understands; the style is found by trying."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inference.values import ChatMessage

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}

PROBE_TEXT = "probetext"
PROBE_REASONING = "probereasoning"
_PROBE_KEY = "probekey"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStyle:
    """typed_content: contents are lists of {"type": "text"} parts.

    null_content: an answer that only calls tools has no content.
    string_arguments: arguments of tool calls are JSON text instead of mappings.
    """

    typed_content: bool = False
    null_content: bool = False
    string_arguments: bool = False


class UnknownRole(ValueError):
    """A message has a role that no template knows."""


def message_fields(message: ChatMessage, style: MessageStyle, protect: Callable[[Any], Any]) -> dict[str, Any]:
    """The message for the template. Everything but the role went through `protect`. UnknownRole for a strange role."""
    role = _ROLES.get(message.role)
    if role is None:
        raise UnknownRole(message.role)
    fields: dict[str, Any] = {"role": role, "content": protect(message.content)}
    if message.reasoning:
        fields["reasoning_content"] = protect(message.reasoning)
    for key, value in message.extra.items():
        if key not in ("role", "content", "reasoning_content", "tool_calls") and value is not None:
            fields[key] = protect(value)
    calls = message.extra.get("tool_calls")
    if calls:
        fields["tool_calls"] = [protect(_tool_call(call, style)) for call in calls]
        if style.null_content and not message.content:
            fields["content"] = None
    if style.typed_content and fields["content"] is not None:
        fields["content"] = [{"type": "text", "text": fields["content"]}]
    return fields


def find_style(render: Callable[[list[dict[str, Any]]], str | None]) -> MessageStyle:
    """The style of a template. `render` gives None when the template fails."""
    user: dict[str, Any] = {"role": "user", "content": PROBE_TEXT}
    typed = {"role": "user", "content": [{"type": "text", "text": PROBE_TEXT}]}
    typed_content = PROBE_TEXT not in (render([user]) or "") and PROBE_TEXT in (render([typed]) or "")
    first = typed if typed_content else user

    def with_call(content: str | None, arguments: Any) -> str | None:
        function = {"name": "probetool", "arguments": arguments}
        call = {"id": "call00000", "type": "function", "function": function}
        answer = {"role": "assistant", "content": content, "tool_calls": [call]}
        result = {"role": "tool", "content": PROBE_TEXT, "name": "probetool", "tool_call_id": "call00000"}
        return render([first, answer, result])

    as_mapping = with_call("", {_PROBE_KEY: 1})
    written_raw = as_mapping is not None and f"'{_PROBE_KEY}'" in as_mapping
    string_arguments = (as_mapping is None or written_raw) and with_call("", f'{{"{_PROBE_KEY}": 1}}') is not None
    without_content = with_call(None, f'{{"{_PROBE_KEY}": 1}}' if string_arguments else {_PROBE_KEY: 1})
    return MessageStyle(
        typed_content=typed_content,
        null_content=without_content is not None and "None" not in without_content,
        string_arguments=string_arguments,
    )


def _tool_call(call: dict[str, Any], style: MessageStyle) -> dict[str, Any]:
    function = dict(call.get("function") or {})
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            parsed = json.loads(arguments)
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            arguments = parsed
    if style.string_arguments and not isinstance(arguments, str):
        arguments = json.dumps({} if arguments is None else arguments, ensure_ascii=False)
    function["arguments"] = arguments
    return {"type": "function", **call, "function": function}
