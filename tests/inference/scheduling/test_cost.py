from __future__ import annotations

from inference.scheduling.cost import CostModel


def test_the_chunk_follows_the_machine() -> None:
    slow = CostModel(step_seconds=0.04, chunk_token_seconds=0.01)
    assert slow.chunk_tokens(decode_rows=0, batch_tokens=512) == 128
    assert slow.chunk_tokens(decode_rows=3, batch_tokens=512) == 32
    fast = CostModel(step_seconds=0.001, chunk_token_seconds=0.0001)
    assert fast.chunk_tokens(decode_rows=8, batch_tokens=1024) == 512


def test_it_learns_and_forgives_an_outlier() -> None:
    cost = CostModel()
    for _ in range(10):
        cost = cost.observe(decode_rows=2, chunk_tokens=0, seconds=0.1)
    assert cost.predict_seconds(decode_rows=4, chunk_tokens=0) == 0.2
    hit = cost.observe(decode_rows=2, chunk_tokens=0, seconds=60.0)
    assert hit.predict_seconds(decode_rows=1, chunk_tokens=0) < 0.1


def test_never_more_than_the_batch_holds() -> None:
    assert CostModel().chunk_tokens(decode_rows=6, batch_tokens=16) == 10
