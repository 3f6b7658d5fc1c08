"""A hung child is told from a busy one."""

from __future__ import annotations

import math

import pytest

from inference.worker.messages import Delta, Heartbeat, LoadProgress, ToService
from inference.worker.silence import Patience, Silence

PATIENCE = Patience(silence_factor=10, least_silence_seconds=30, first_silence_seconds=120, most_silence_seconds=3600)


@pytest.mark.parametrize(
    ("said", "allowed_seconds"),
    [
        ([], 120),
        ([LoadProgress(fraction=1.0)], 120),
        ([Delta(request_id="a")], 30),
        ([Delta(request_id="a"), Heartbeat(silent_for_seconds=2)], 30),
        ([Delta(request_id="a"), Heartbeat(silent_for_seconds=20)], 200),
        ([Heartbeat(silent_for_seconds=20), Delta(request_id="a")], 30),
        ([Delta(request_id="a"), Heartbeat(silent_for_seconds=1e9)], 3600),
        ([Delta(request_id="a"), Heartbeat(silent_for_seconds=-5)], 30),
        ([Delta(request_id="a"), Heartbeat(silent_for_seconds=math.nan)], 30),
        ([Delta(request_id="a"), Heartbeat(silent_for_seconds=math.inf)], 30),
    ],
)
def test_silence_that_is_allowed(said: list[ToService], allowed_seconds: float) -> None:
    silence = Silence(PATIENCE)
    for message in said:
        silence.heard(message, 1000.0)
    silence.begin(2000.0)
    assert silence.overdue_at_seconds() == 2000.0 + allowed_seconds


def test_each_message_starts_the_silence_anew() -> None:
    silence = Silence(PATIENCE)
    silence.begin(0.0)
    silence.heard(Delta(request_id="a"), 10.0)
    assert silence.overdue_at_seconds() == 40.0
