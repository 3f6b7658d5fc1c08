"""What events do to the messages on the screen: pure functions on the active branch, root first."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.client.events import Delta
from app.values import ChatMessage

Messages = tuple[ChatMessage, ...]

CONTINUABLE: Final = frozenset({"stopped", "length", "interrupted"})


def with_message(messages: Messages, message: ChatMessage) -> Messages:
    """The branch after `message` was created or changed.

    A new message replaces everything after its parent: it is another version of that turn. An old version that
    finishes while another is shown changes nothing.
    """
    for index, known in enumerate(messages):
        if known.id == message.id:
            return (*messages[:index], message, *messages[index + 1 :])
    if message.role == "assistant" and message.state != "streaming":
        return messages
    if message.parent_id is None:
        return (message,)
    for index, known in enumerate(messages):
        if known.id == message.parent_id:
            return (*messages[: index + 1], message)
    return messages


def with_delta(messages: Messages, delta: Delta) -> Messages | None:
    """The branch with a delta appended; None when characters are missing before it: fetch the chat again."""
    for index, message in enumerate(messages):
        if message.id != delta.message_id:
            continue
        text = _appended(message.text, delta.offset, delta.text)
        reasoning = _appended(message.reasoning, delta.reasoning_offset, delta.reasoning)
        if text is None or reasoning is None:
            return None
        return (*messages[:index], replace(message, text=text, reasoning=reasoning), *messages[index + 1 :])
    return messages


def writing(messages: Messages) -> ChatMessage | None:
    """The answer that is being written now."""
    return next((message for message in reversed(messages) if message.state == "streaming"), None)


def used_context_tokens(messages: Messages) -> int:
    """How many tokens the branch took when its last answer ended; 0 when that is not known."""
    for message in reversed(messages):
        if message.stats is not None:
            return message.stats.prompt_tokens + message.stats.completion_tokens
    return 0


def _appended(present: str, offset: int, addition: str) -> str | None:
    """`present` with `addition` at `offset`; what is there already is not added twice."""
    if not addition:
        return present
    if offset > len(present):
        return None
    return present + addition[len(present) - offset :]
