"""What events do to the messages on the screen."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.client.events import Delta
from app.gui.conversation import Messages, used_context_tokens, with_delta, with_message, writing
from tests.app.gui.fake_service import STATS, message

USER = message("u", "user", "问")
ANSWER = message("a", "assistant", "答", parent="u", stats=STATS)


def delta(offset: int, text: str, *, to: str = "a") -> Delta:
    return Delta(chat_id="c1", message_id=to, offset=offset, text=text, reasoning_offset=0, reasoning="")


def test_a_changed_message_takes_the_place_of_the_old_one() -> None:
    changed = replace(ANSWER, text="新")
    assert with_message((USER, ANSWER), changed) == (USER, changed)


def test_a_new_version_replaces_what_came_after_its_parent() -> None:
    other = message("b", "assistant", "", parent="u", state="streaming")
    after = message("u2", "user", "再问", parent="a")
    assert with_message((USER, ANSWER, after), other) == (USER, other)


def test_an_edited_first_message_begins_the_branch_anew() -> None:
    edited = message("v", "user", "改")
    assert with_message((USER, ANSWER), edited) == (edited,)


def test_an_old_version_that_ends_elsewhere_changes_nothing() -> None:
    assert with_message((USER, ANSWER), message("b", "assistant", "旧", parent="u")) == (USER, ANSWER)


def test_a_gap_is_noticed_and_a_repetition_is_not_added() -> None:
    assert with_delta((USER, ANSWER), delta(5, "x")) is None
    assert with_delta((USER, ANSWER), delta(0, "答")) == (USER, ANSWER)
    again = with_delta((USER, ANSWER), delta(0, "答案"))
    assert again is not None and again[1].text == "答案"


def test_a_delta_of_another_branch_is_ignored() -> None:
    assert with_delta((USER, ANSWER), delta(9, "x", to="elsewhere")) == (USER, ANSWER)


@given(st.text(), st.lists(st.integers(min_value=0, max_value=40)))
def test_any_cutting_with_repetitions_gives_the_text(text: str, cuts: list[int]) -> None:
    messages: Messages | None = (USER, replace(ANSWER, text=""))
    end = 0
    for cut in [*sorted(cuts), len(text)]:
        begin = max(0, end - 2)
        assert messages is not None
        messages = with_delta(messages, delta(begin, text[begin : max(cut, end)]))
        end = max(end, min(max(cut, end), len(text)))
    assert messages is not None and messages[1].text == text


def test_what_is_being_written_and_what_it_took() -> None:
    streaming = message("b", "assistant", "", parent="u", state="streaming")
    assert writing((USER, streaming)) is streaming
    assert writing((USER, ANSWER)) is None
    assert used_context_tokens((USER, ANSWER)) == STATS.prompt_tokens + STATS.completion_tokens
    assert used_context_tokens(()) == 0
