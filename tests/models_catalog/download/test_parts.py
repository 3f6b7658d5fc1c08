from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from models_catalog.download.parts import Lease, Parts

SIZE = 1000


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, SIZE), unique=True, max_size=8).map(sorted),
    st.integers(1, 60),
    st.data(),
)
def test_every_byte_arrives_exactly_once_whatever_fails(cuts: list[int], least_bytes: int, data: st.DataObject) -> None:
    missing = list(zip(cuts[::2], cuts[1::2], strict=False))
    wanted = {byte for start, end in missing for byte in range(start, end)}
    parts = Parts(missing, least_bytes=least_bytes)
    arrived: list[int] = []
    lent: list[Lease] = []
    for step in range(60):
        # Later on nothing new breaks, so that an end is reached.
        action = data.draw(st.sampled_from(["lease", "bytes", "bytes", "give back"]))
        if action == "lease" or not lent:
            if lease := parts.lease(data.draw(st.integers(1, SIZE))):
                lent.append(lease)
            continue
        lease = data.draw(st.sampled_from(lent))
        if action == "bytes":
            position = lease.position
            own = parts.advance(lease, data.draw(st.integers(0, 150)))
            arrived += range(position, position + own)
        if action == "give back" or not lease.left_bytes:
            parts.release(lease)
            lent.remove(lease)
        held = {byte for start, end in parts.missing for byte in range(start, end)}
        assert held == wanted - set(arrived)
        assert parts.missing_bytes == len(held)
        assert step < 60
    for lease in lent:
        parts.release(lease)
    while lease := parts.lease(SIZE):
        arrived += range(lease.position, lease.position + parts.advance(lease, SIZE))
        parts.release(lease)
    assert sorted(arrived) == sorted(wanted)
    assert parts.missing_bytes == 0


def test_when_nothing_is_free_the_longest_lease_is_divided() -> None:
    parts = Parts([(0, 1000)], least_bytes=100)
    first = parts.lease(5000)
    assert first is not None
    parts.advance(first, 200)
    second = parts.lease(5000)
    assert second is not None and (first.end, second.start, second.end) == (600, 600, 1000)
    assert parts.advance(first, 1000) == 400
    parts.release(first)
    third = parts.lease(5000)
    assert third is not None and (third.start, third.end) == (800, 1000)


def test_short_rests_are_not_divided() -> None:
    parts = Parts([(0, 199)], least_bytes=100)
    assert parts.lease(5000) is not None
    assert parts.lease(5000) is None


def test_a_server_that_starts_at_the_beginning_gets_everything() -> None:
    parts = Parts([(100, 200), (700, 800)], least_bytes=10)
    whole = parts.lease_rest()
    assert whole is not None and (whole.start, whole.end) == (100, 800)
    assert parts.lease(10) is not None  # divided as any other
