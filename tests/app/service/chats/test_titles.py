from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.service.chats.titles import LONGEST_CHARACTERS, title_from


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("你好", "你好"),
        ("\n\n  # Heading here \nmore", "Heading here"),
        (
            "请帮我把下面这一段很长很长的文字翻译成英文，并且解释语法",
            "请帮我把下面这一段很长很长的文字翻译成英文，并且…",
        ),
        ("write a function that sorts a list of dictionaries", "write a function that…"),
        ("x" * 100, "x" * 24 + "…"),
        ("```\ncode\n```", "code"),
        ("", ""),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert title_from(text) == title


@given(st.text())
def test_a_title_is_one_short_printable_line(text: str) -> None:
    title = title_from(text)
    assert len(title) <= LONGEST_CHARACTERS + 1
    assert title.isprintable()
