from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from inference.prefix_cache.residents import PrefixMatch, Residents, common_prefix


@given(st.lists(st.integers(0, 2), max_size=1200), st.lists(st.integers(0, 2), max_size=1200))
def test_common_prefix_is_the_naive_one(a: list[int], b: list[int]) -> None:
    naive = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    assert common_prefix(array("i", a), array("i", b)) == naive


def test_one_token_is_always_left_to_decode() -> None:
    residents = Residents(2)
    residents.open(0).tokens.extend([1, 2, 3])
    assert residents.longest_prefix(array("i", [1, 2, 3]), whole_only=False) == PrefixMatch(sequence=0, length=2)
    assert residents.longest_prefix(array("i", [1]), whole_only=False) is None


def test_a_tail_that_cannot_be_removed_counts_only_whole() -> None:
    residents = Residents(2)
    residents.open(0).tokens.extend([1, 2, 3, 9])
    prompt = array("i", [1, 2, 3, 4, 5])
    assert residents.longest_prefix(prompt, whole_only=True) is None
    residents.open(0).tokens.extend([1, 2])
    assert residents.longest_prefix(prompt, whole_only=True) == PrefixMatch(sequence=1, length=2)


def test_an_idle_resident_is_preferred_and_ids_return() -> None:
    residents = Residents(2)
    first, second = residents.open(1), residents.open(2)
    first.tokens.extend([5, 6])
    second.tokens.extend([5, 6])
    second.running = False
    assert residents.longest_prefix(array("i", [5, 6, 7]), whole_only=False) == PrefixMatch(sequence=1, length=2)
    assert not residents.has_free_id
    residents.close(first.sequence)
    assert residents.open(3).sequence == first.sequence
