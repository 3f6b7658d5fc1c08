"""A branch of a chat as the conversation that the model's template renders."""

from __future__ import annotations

from collections.abc import Sequence

from app.values import ChatMessage
from inference import values as engine


def chat_prompt(
    system_prompt: str,
    branch: Sequence[ChatMessage],
    *,
    enable_thinking: bool | None = None,
    continue_last: bool = False,
) -> engine.ChatPrompt:
    """The conversation up to where the answer begins; with continue_last it ends with the answer to be gone on with.

    Answers in which nothing was said are left out, and the user's turns around them become one: many templates refuse
    two turns of one side in a row.
    """
    turns: list[engine.ChatMessage] = []
    if system_prompt.strip():
        turns.append(engine.ChatMessage(role="system", content=system_prompt))
    for index, message in enumerate(branch):
        is_last = index == len(branch) - 1
        if message.role == "assistant" and not message.text.strip() and not (continue_last and is_last):
            continue
        if turns and turns[-1].role == message.role == "user":
            turns[-1] = engine.ChatMessage(role="user", content=f"{turns[-1].content}\n\n{message.text}")
        else:
            turns.append(engine.ChatMessage(role=message.role, content=message.text, reasoning=message.reasoning))
    return engine.ChatPrompt(messages=tuple(turns), enable_thinking=enable_thinking, continue_last=continue_last)
