"""Finding what looks like control tokens."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.text.control_text import ControlTexts

_fragments = st.lists(st.sampled_from("ab<>"), max_size=4).map("".join)


@given(st.frozensets(_fragments, max_size=5), st.lists(st.sampled_from("ab<>"), max_size=20).map("".join))
def test_the_longest_text_at_every_place_is_found(texts: frozenset[str], text: str) -> None:
    expected = []
    for start in range(len(text)):
        ends = [start + len(control) for control in texts if control and text.startswith(control, start)]
        if ends:
            expected.append((start, max(ends)))
    assert list(ControlTexts(texts).spans(text)) == expected


def test_overlapping_ones_are_one_part() -> None:
    assert ControlTexts(frozenset(("<a>b", "b<c>"))).merged_spans("x<a>b<c>y") == [(1, 8)]


@pytest.mark.parametrize(
    ("text", "beginning", "end"),
    [
        ("a <", False, True),
        ("a <|im_", False, True),
        ("|> a", True, False),
        ("im_end", True, True),
        ("a", False, False),
    ],
)
def test_parts_that_a_neighbour_may_complete(text: str, beginning: bool, end: bool) -> None:
    assert ControlTexts(frozenset(("<|im_end|>",))).may_be_part(text) == (beginning, end)


def test_no_control_texts() -> None:
    controls = ControlTexts(frozenset())
    assert list(controls.spans("<|im_end|>")) == []
    assert controls.may_be_part("<") == (False, False)


def test_thousands_of_control_tokens_do_not_slow_the_search() -> None:
    controls = ControlTexts(frozenset(f"<unused{number}>" for number in range(6000)))
    started = time.process_time()
    assert controls.merged_spans("<b>code</b> " * 20_000) == []
    assert time.process_time() - started < 2
