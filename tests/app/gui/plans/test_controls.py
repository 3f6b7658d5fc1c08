"""Steps of the sliders, and what is typed for another computer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gui.plans.controls import context_steps
from app.gui.plans.what_if import cards_of, memory_of


@given(st.integers(min_value=0, max_value=10_000_000))
def test_contexts_rise_to_the_trained_one(trained: int) -> None:
    steps = context_steps(trained)
    assert list(steps) == sorted(set(steps))
    assert steps[-1] == (trained or 32_768)


def test_usual_contexts_are_among_the_steps() -> None:
    assert {2_048, 4_096, 8_192, 12_288, 16_384, 32_768, 40_960} <= set(context_steps(40_960))


@pytest.mark.parametrize(
    ("typed", "cards"),
    [
        ("", ()),
        ("RTX 4060 8GB", ("RTX 4060 8GB",)),
        ("RTX 4090 + RTX 3060 12GB", ("RTX 4090", "RTX 3060 12GB")),
        ("RTX 4090，RTX 3060", ("RTX 4090", "RTX 3060")),
        ("无", ("none",)),
        (" None ", ("none",)),
    ],
)
def test_cards(typed: str, cards: tuple[str, ...]) -> None:
    assert cards_of(typed) == cards


@pytest.mark.parametrize(
    ("typed", "memory"),
    [("", ""), ("16", "16G"), ("16 GB", "16G"), ("16g", "16G"), ("15.5 GiB", "15.5G"), ("many", "MANY")],
)
def test_memory(typed: str, memory: str) -> None:
    assert memory_of(typed) == memory
