"""Texts into terms and filters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.families.query import MAX_TERMS, Filters, parse_query, parse_size
from models_catalog.families.values import Ability, State


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  ", ()),
        ("千问", ("千问",)),
        ("千问8b", ("千问", "8b")),
        ("Qwen3-8B", ("qwen3-8b",)),
        ("书生·浦语 InternLM2.5", ("书生", "浦语", "internlm2.5")),
        ("通义千问，视觉！", ("通义千问", "视觉")),
        ("Ｑｗｅｎ２．５", ("qwen2.5",)),
        ("yi-1.5-9b.", ("yi-1.5-9b",)),
        ("ability:fly", ("ability:fly",)),
        ("max:", ("max",)),
        ("<=lots", ("lots",)),
        ("http://x", ("http", "x")),
    ],
)
def test_terms(text: str, terms: tuple[str, ...]) -> None:
    assert parse_query(text) == parse_query(text, Filters())
    assert parse_query(text).terms == terms
    assert parse_query(text).filters == Filters()


def test_filters_in_the_text_narrow_those_beside_it() -> None:
    beside = Filters(abilities=frozenset({Ability.CHAT}), max_parameters=10**12)
    query = parse_query("glm ability:vision max:9b license:mit vendor:智谱 state:ready", beside)
    assert query.terms == ("glm",)
    assert query.filters == Filters(
        abilities=frozenset({Ability.CHAT, Ability.VISION}),
        max_parameters=9 * 10**9,
        licence="mit",
        vendor="智谱",
        states=frozenset({State.READY}),
    )
    assert parse_query("<8b").filters.max_parameters == parse_query("<=8B").filters.max_parameters == 8 * 10**9


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8b", 8 * 10**9),
        ("0.5B", 5 * 10**8),
        ("500M", 5 * 10**8),
        ("80亿", 8 * 10**9),
        ("5亿", 5 * 10**8),
        ("1t", 10**12),
        ("７b", 7 * 10**9),
        ("7000000000", 7 * 10**9),
        ("7,000,000,000", 7 * 10**9),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "b", "0b", "-1b", "1e9b", "big", "8 bits", "1" * 30, "٣b", "nan"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError):
        parse_size(text)


@given(st.text(max_size=400))
def test_every_text_is_a_query(text: str) -> None:
    query = parse_query(text)
    assert len(query.terms) <= MAX_TERMS
    assert all(term and not any(character.isspace() for character in term) for term in query.terms)
    assert all(term == term.casefold() for term in query.terms)


@given(
    st.lists(st.sampled_from(["千问", "8b", "ability:code", "<=7b", "licence:yes", "vendor:x", "::", "state:ready"]))
)
def test_filters_are_no_terms(words: list[str]) -> None:
    query = parse_query(" ".join(words))
    assert not any(":" in term for term in query.terms)
    assert ("ability:code" in words[:20]) <= (Ability.CODE in query.filters.abilities) or len(" ".join(words)) > 200


@given(st.integers(min_value=1, max_value=10**12))
def test_a_plain_number_is_itself(size: int) -> None:
    assert parse_size(str(size)) == size
