"""Long runs of letters are broken where they can be, and nothing is lost by it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.gui.parts.holding import LONGEST_RUN_CHARACTERS, breakable


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x9FFF)))
def test_breaks_are_all_that_is_added(text: str) -> None:
    text = text.replace("\u200b", "")
    broken = breakable(text)
    assert broken.replace("\u200b", "") == text
    assert not re.search(rf"[!-~]{{{LONGEST_RUN_CHARACTERS + 1}}}", broken)


def test_a_path_is_broken_at_its_parts_and_words_are_left_alone() -> None:
    assert breakable("/home/li/.local/share/models 可用") == (
        "/\u200bhome/\u200bli/\u200b.\u200blocal/\u200bshare/\u200bmodels 可用"
    )
    assert breakable("a short text with/one slash") == "a short text with/one slash"
