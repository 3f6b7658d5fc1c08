from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models_catalog.download.extents import Extent, covered_bytes, missing_ranges, sound, with_extent

SIZE = 24
RANGES = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(st.tuples(RANGES, st.sampled_from("ab"))), RANGES)
def test_extents_say_what_a_list_of_every_byte_would_say(
    writes: list[tuple[tuple[int, int], str]], window: tuple[int, int]
) -> None:
    owners: list[str | None] = [None] * SIZE
    extents: tuple[Extent, ...] = ()
    for (start, end), source in writes:
        owners[start:end] = [source] * (end - start)
        extents = with_extent(extents, Extent(start=start, end=end, source=source))
    assert sound(extents, SIZE)
    for extent in extents:
        assert set(owners[extent.start : extent.end]) == {extent.source}
    begin, stop = window
    gaps = [position for start, end in missing_ranges(extents, begin, stop) for position in range(start, end)]
    assert gaps == [position for position in range(begin, stop) if owners[position] is None]
    assert covered_bytes(extents, begin, stop) == (stop - begin) - len(gaps)


def test_neighbours_from_one_source_become_one() -> None:
    extents = with_extent((Extent(start=0, end=4, source="a"),), Extent(start=4, end=8, source="a"))
    assert extents == (Extent(start=0, end=8, source="a"),)


def test_unsound_extents_are_known() -> None:
    def extent(start: int, end: int) -> Extent:
        return Extent(start=start, end=end, source="a")

    assert not sound((extent(0, 9),), 8)
    assert not sound((extent(4, 4),), 8)
    assert not sound((extent(2, 4), extent(3, 5)), 8)
    assert not sound((extent(-1, 4),), 8)
