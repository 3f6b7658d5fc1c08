"""Markdown in segments."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.gui.transcript.markdown import PROSE_CHARACTERS, Code, Prose, segments

PIECES = st.sampled_from(
    ["# t\n", "text\n", "\n", "- a\n", "```py\nx\n```\n", "| a |\n|--|\n| b |\n", "> q\n", "1. n\n"]
)


def test_code_stands_by_itself() -> None:
    found = segments("before\n\n```python title=x\nprint(1)\n```\n\nafter\n\n- list")
    assert [type(one) for one in found] == [Prose, Code, Prose]
    assert found[1] == Code(start=8, language="python", content="print(1)\n")


def test_an_open_fence_is_code_already() -> None:
    found = segments("text\n\n```js\nlet a")
    assert isinstance(found[-1], Code)
    assert found[-1].content == "let a"


def test_long_prose_is_split_between_blocks() -> None:
    found = segments("\n\n".join(["p" * 400] * 9))
    assert len(found) > 1
    assert all(b.start - a.start >= PROSE_CHARACTERS for a, b in itertools.pairwise(found))


@given(st.lists(PIECES, max_size=40).map("".join))
def test_all_but_the_last_segment_are_final(source: str) -> None:
    found = segments(source)
    if len(found) > 1:
        tail = segments(source[found[-1].start :])
        assert len(tail) == 1
        assert type(tail[0]) is type(found[-1])


@given(st.text())
def test_any_text_is_survived(source: str) -> None:
    segments(source)
