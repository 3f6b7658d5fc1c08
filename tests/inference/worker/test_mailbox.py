"""A slow reader loses nothing and holds up nobody."""

from __future__ import annotations

import asyncio

import pytest

from inference.values import TokenLogprob
from inference.worker import mailbox as mailbox_module
from inference.worker.mailbox import Mailbox
from inference.worker.messages import Admitted, Delta
from tests.inference.worker.fake_engine import finished


def _delta(text: str, *tokens: int) -> Delta:
    logprobs = tuple(TokenLogprob(token_id=token, text="", raw=b"", logprob=0.0) for token in tokens)
    return Delta(request_id="a", text=text, reasoning=text.upper(), token_ids=tokens, logprobs=logprobs)


async def test_waiting_deltas_come_as_one_and_in_order() -> None:
    mailbox = Mailbox()
    admitted = Admitted(request_id="a", prompt_tokens=1, cached_tokens=0, seed=1)
    for event in (admitted, _delta("x", 1), _delta("y", 2, 3), finished("a", 3)):
        assert mailbox.put(event, 10)
    assert await mailbox.take() == admitted
    assert await mailbox.take() == Delta(
        request_id="a",
        text="xy",
        reasoning="XY",
        token_ids=(1, 2, 3),
        logprobs=_delta("", 1, 2, 3).logprobs,
    )
    assert await mailbox.take() == finished("a", 3)


async def test_a_reader_that_keeps_up_gets_each_delta_at_once() -> None:
    mailbox = Mailbox()
    reader = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    mailbox.put(_delta("x"), 1)
    assert (await reader) == _delta("x")


async def test_what_came_before_an_error_is_read_first() -> None:
    mailbox = Mailbox()
    mailbox.put(_delta("x"), 1)
    mailbox.fail(KeyError("first"))
    mailbox.fail(KeyError("second"))
    assert await mailbox.take() == _delta("x")
    with pytest.raises(KeyError, match="first"):
        await mailbox.take()


async def test_an_error_wakes_the_reader() -> None:
    mailbox = Mailbox()
    reader = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    mailbox.fail(KeyError("x"))
    with pytest.raises(KeyError):
        await reader


async def test_more_than_an_honest_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox_module, "MAX_PENDING_BYTES", 100)
    mailbox = Mailbox()
    assert mailbox.put(_delta("x"), 100)
    await mailbox.take()
    assert mailbox.put(_delta("x"), 100)
    assert not mailbox.put(_delta("x"), 1)
