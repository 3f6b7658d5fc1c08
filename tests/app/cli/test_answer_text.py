"""Answers put together from events: nothing twice, nothing missed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.cli.answer_text import AnswerText, Piece
from tests.app.cli.fake_service import _message


def _delta(offset: int, text: str, reasoning_offset: int = 0, reasoning: str = "") -> dict[str, object]:
    return {"offset": offset, "text": text, "reasoning_offset": reasoning_offset, "reasoning": reasoning}


def test_deltas_in_order() -> None:
    shown = AnswerText()
    assert shown.add_delta(_delta(0, "", 0, "想")) == Piece(reasoning="想")
    assert shown.add_delta(_delta(0, "春眠", 1, "")) == Piece(text="春眠")
    assert shown.add_delta(_delta(2, "不觉晓", 1, "")) == Piece(text="不觉晓")


def test_a_gap_is_told_and_caught_up() -> None:
    shown = AnswerText()
    shown.add_delta(_delta(0, "春"))
    assert shown.add_delta(_delta(3, "觉晓")) is None
    assert shown.catch_up(_message("assistant", "春眠不觉晓")) == Piece(text="眠不觉晓")
    assert shown.add_delta(_delta(3, "觉晓")) == Piece()


@given(st.text(), st.lists(st.tuples(st.integers(0, 6), st.booleans())))
def test_whatever_is_lost_or_repeated_the_text_is_whole(text: str, steps: list[tuple[int, bool]]) -> None:
    shown = AnswerText()
    out = ""
    sent = 0
    for size, lost in steps:
        delta = _delta(sent, text[sent : sent + size])
        sent = min(len(text), sent + size)
        if lost:
            continue
        piece = shown.add_delta(delta) or shown.catch_up(replace(_message("assistant", ""), text=text[:sent]))
        out += piece.text
        assert out == text[: len(out)]
    out += shown.catch_up(replace(_message("assistant", ""), text=text)).text
    assert out == text
