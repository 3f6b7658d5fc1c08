"""Pinyin and typing errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.families.pinyin import chinese_runs, is_short_for, spellings
from models_catalog.families.typos import allowed_typos, distance

QIANWEN = ("tong", "yi", "qian", "wen")


def test_characters_are_spelled() -> None:
    assert spellings("通义千问") == (QIANWEN,)
    assert set(spellings("重")) == {("zhong",), ("chong",)}
    assert spellings("龘") == ()
    assert chinese_runs("书生·浦语 InternLM") == ("书生", "浦语")


@pytest.mark.parametrize("typed", ["tongyiqianwen", "tyqw", "tongyiqw", "ty", "tyiqianw", "t", "tongy"])
def test_short_forms(typed: str) -> None:
    assert is_short_for(typed, QIANWEN)


@pytest.mark.parametrize("typed", ["tqw", "qw", "tongyiqianwenx", "tyqwx", "xty"])
def test_other_words(typed: str) -> None:
    assert not is_short_for(typed, QIANWEN)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("qwen", "qwen", 0), ("qwne", "qwen", 1), ("qwn", "qwen", 1), ("qwenn", "qwen", 1), ("qwem", "qwen", 1)],
)
def test_distances(one: str, other: str, expected: int) -> None:
    assert distance(one, other, 2) == expected


words = st.text(alphabet="abc", max_size=8)


@given(words, words)
def test_a_distance_is_one(one: str, other: str) -> None:
    found = distance(one, other, 8)
    assert found == distance(other, one, 8)
    assert (found == 0) == (one == other)
    assert abs(len(one) - len(other)) <= found <= max(len(one), len(other))
    assert distance(one, other, 1) == min(found, 2)


def test_short_words_allow_no_typos() -> None:
    assert [allowed_typos(word) for word in ("yi", "qwen", "hunyuan")] == [0, 1, 2]
