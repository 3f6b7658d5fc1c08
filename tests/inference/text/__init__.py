"""Tests of inference.text."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T", str, bytes)


def pieces_of(whole: T) -> st.SearchStrategy[list[T]]:
    """Every way to cut a text."""
    cuts = st.lists(st.integers(0, len(whole)), max_size=12).map(lambda places: [0, *sorted(places), len(whole)])
    return cuts.map(lambda places: [whole[a:b] for a, b in pairwise(places)])
