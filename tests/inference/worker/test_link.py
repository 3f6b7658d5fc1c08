"""Whatever a child sends, the service gets messages or hears of a broken rule."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.values import LoadPlan
from inference.worker.link import Link
from inference.worker.messages import Heartbeat, Load, ToService, encode


class Heard:
    """A link without a transport, and what came out of it."""

    def __init__(self) -> None:
        self.messages: list[ToService] = []
        self.broken: list[str] = []
        self.link = Link(lambda message, _: self.messages.append(message), self.broken.append)


def hear(*chunks: bytes) -> Heard:
    async def feed() -> Heard:
        heard = Heard()
        for chunk in chunks:
            heard.link.data_received(chunk)
        return heard

    return asyncio.run(feed())


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_noise_raises_nothing(chunks: list[bytes]) -> None:
    hear(*chunks)


@given(st.binary(min_size=1, max_size=60))
def test_a_body_of_noise_breaks_a_rule(body: bytes) -> None:
    heard = hear(len(body).to_bytes(4, "little") + body)
    assert len(heard.messages) + len(heard.broken) == 1


@pytest.mark.parametrize("cut", [0, 1, 4, 9])
def test_messages_that_are_cut_anywhere(cut: int) -> None:
    message = Heartbeat(silent_for_seconds=1.0)
    data = encode(message) * 2
    heard = hear(data[:cut], data[cut:])
    assert (heard.messages, heard.broken) == ([message, message], [])


def test_a_message_for_the_other_side_breaks_a_rule() -> None:
    plan = LoadPlan(model_path="", context_tokens=1, sequences=1, batch_tokens=1, decode_threads=1, batch_threads=1)
    heard = hear(encode(Load(plan=plan)))
    assert heard.broken
    assert not heard.messages
