from __future__ import annotations

from app.service.chats.prompt import chat_prompt
from app.values import ChatMessage, Role


def said(role: Role, text: str, reasoning: str = "") -> ChatMessage:
    return ChatMessage(
        id="1",
        chat_id="c",
        parent_id=None,
        role=role,
        text=text,
        reasoning=reasoning,
        state="complete",
        model="",
        created_at=0,
        sibling_ids=(),
    )


def turns(*branch: ChatMessage, system: str = "", continue_last: bool = False) -> list[tuple[str, str]]:
    prompt = chat_prompt(system, branch, continue_last=continue_last)
    return [(message.role, message.content) for message in prompt.messages]


def test_a_conversation() -> None:
    assert turns(said("user", "a"), said("assistant", "b"), said("user", "c"), system="s") == [
        ("system", "s"),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
    ]
    assert turns(said("user", "a"), system="  ") == [("user", "a")]


def test_an_empty_answer_is_left_out_and_its_neighbours_become_one_turn() -> None:
    assert turns(said("user", "a"), said("assistant", " "), said("user", "c")) == [("user", "a\n\nc")]


def test_an_answer_that_is_to_be_continued_stays_last() -> None:
    prompt = chat_prompt("", [said("user", "a"), said("assistant", "", "thinking")], continue_last=True)
    assert prompt.continue_last
    assert (prompt.messages[-1].role, prompt.messages[-1].reasoning) == ("assistant", "thinking")
