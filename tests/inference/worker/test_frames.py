"""Messages are found whole however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.worker.frames import FrameBuffer


@given(bodies=st.lists(st.binary(max_size=40)), cuts=st.lists(st.integers(1, 30)))
def test_every_body_comes_out_once_and_in_order(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(len(body).to_bytes(4, "little") + body for body in bodies)
    buffer = FrameBuffer()
    found: list[bytes] = []
    for cut in [*cuts, len(stream) + 1]:
        found += buffer.feed(stream[:cut])
        stream = stream[cut:]
    assert found == bodies


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(ValueError, match="4294967295"):
        list(FrameBuffer().feed(b"\xff\xff\xff\xff"))
