"""From token bytes to shown text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.text.answer import AnswerText, TextStep
from inference.text.reasoning import ReasoningTags

from . import pieces_of

THINK = ReasoningTags(open="<think>", close="</think>")


def _run(answer: AnswerText, tokens: list[bytes]) -> TextStep:
    steps = [*map(answer.feed, tokens), answer.finish()]
    return TextStep(
        text="".join(step.text for step in steps),
        reasoning="".join(step.reasoning for step in steps),
        stopped=steps[-1].stopped,
    )


def test_stop_strings_count_in_the_answer_only() -> None:
    answer = AnswerText(("\n\n",), THINK)
    result = _run(answer, [b"<think>a\n\nb</think>\n", b"\nfirst\n", b"\nsecond"])
    assert result == TextStep(text="first", reasoning="a\n\nb", stopped=True)


def test_the_prompt_may_have_opened_the_thinking() -> None:
    answer = AnswerText((), THINK, True)
    assert answer.in_reasoning
    assert _run(answer, [b"so", b"</think>", b"Hi"]) == TextStep(text="Hi", reasoning="so", stopped=False)
    assert not answer.in_reasoning


def test_what_was_held_back_comes_at_the_end() -> None:
    assert _run(AnswerText(("stop",), THINK), [b"<th", b"is> ", b"sto"]).text == "<this> sto"


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "量", "力", "🐼", "stop", "st", "op", "\n", "a"])).map("".join),
    st.data(),
)
def test_any_cut_gives_the_same(text: str, data: st.DataObject) -> None:
    whole = text.encode()
    assert _run(AnswerText(("stop", "力a"), THINK), data.draw(pieces_of(whole))) == _run(
        AnswerText(("stop", "力a"), THINK), [whole]
    )
