from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.planning.learning import (
    NOTHING_LEARNED,
    Learned,
    Observation,
    correct,
    decode_at,
    from_json,
    observe,
    to_json,
)
from inference.planning.values import Range, SpeedForecast

FORECAST = SpeedForecast(
    decode=Range(low=7.0, likely=10.0, high=14.0),
    prefill=Range(low=70.0, likely=100.0, high=140.0),
    depth_tokens=1024,
    origin="calibrated",
    slowest="CPU",
    depth_seconds=1e-5,
)
DEVICES = ("AMD EPYC",)
ANSWER = Observation(devices=DEVICES, family="qwen2", work="decode", predicted=10.0, actual=8.0, tokens=100)


def taught(*actual: float, **other: object) -> Learned:
    learned = NOTHING_LEARNED
    for figure in actual:
        learned = observe(learned, replace(ANSWER, actual=figure, **other))  # type: ignore[arg-type]
    return learned


def test_answers_bring_the_forecast_nearer_and_narrow_it() -> None:
    answer = correct(FORECAST, taught(8.0, 8.1, 7.9, 8.0, 8.0, 8.0), devices=DEVICES, family="qwen2")
    assert answer.decode.likely == pytest.approx(8.0, rel=0.03)
    assert answer.decode.low == pytest.approx(8.0, rel=0.10)
    assert answer.decode.high == pytest.approx(8.0, rel=0.10)
    assert answer.origin == "learned"
    assert answer.depth_seconds > FORECAST.depth_seconds
    assert answer.prefill == FORECAST.prefill


def test_one_answer_teaches_less_than_many() -> None:
    one, many = (correct(FORECAST, taught(*[8.0] * count), devices=DEVICES, family="qwen2").decode for count in (1, 10))
    assert FORECAST.decode.likely > one.likely > many.likely
    assert one.high / one.low > many.high / many.low


def test_another_family_on_the_same_devices_is_shifted_but_stays_as_wide() -> None:
    other = correct(FORECAST, taught(8.0, 8.0), devices=DEVICES, family="qwen3moe")
    assert other.decode.likely == pytest.approx(8.4, rel=0.03)
    assert other.decode.high / other.decode.low == pytest.approx(2.0)
    assert other.origin == "calibrated"


def test_other_devices_and_other_work_are_not_touched() -> None:
    learned = taught(8.0)
    assert correct(FORECAST, learned, devices=(*DEVICES, "RTX 3090"), family="qwen2") == FORECAST
    prefill = taught(80.0, work="prefill", predicted=100.0, tokens=512)
    corrected = correct(FORECAST, prefill, devices=DEVICES, family="qwen2")
    assert corrected.decode == FORECAST.decode and corrected.prefill.likely < 90
    assert corrected.origin == "calibrated"


@pytest.mark.parametrize(
    "other",
    [{"unevenness": 1.5}, {"tokens": 3}, {"predicted": 0.0}, {"actual": float("nan")}, {"actual": 1e9}],
)
def test_disturbed_short_and_impossible_answers_teach_nothing(other: dict[str, float]) -> None:
    assert observe(NOTHING_LEARNED, replace(ANSWER, **other)) == NOTHING_LEARNED  # type: ignore[arg-type]


def test_an_outlier_moves_little_and_a_slow_one_less_than_a_fast_one() -> None:
    steady = taught(*[10.0] * 10)
    slow, fast = (
        correct(FORECAST, observe(steady, replace(ANSWER, actual=actual)), devices=DEVICES, family="qwen2").decode
        for actual in (3.0, 33.0)
    )
    assert 0.9 < slow.likely / 10 < 1 < fast.likely / 10 < 1.1
    assert 10 - slow.likely < fast.likely - 10


@given(st.lists(st.floats(1.3, 79.0), min_size=1, max_size=40))
def test_what_is_learned_stays_within_what_was_seen(actual: list[float]) -> None:
    learned = taught(*actual)
    decode = correct(FORECAST, learned, devices=DEVICES, family="qwen2").decode
    assert 0 < decode.low <= decode.likely <= decode.high
    assert min([10.0, *actual]) * 0.999 <= decode.likely <= max([10.0, *actual]) * 1.001
    assert from_json(to_json(learned)) == learned


def test_what_was_not_used_for_long_is_forgotten() -> None:
    learned = NOTHING_LEARNED
    for number in range(300):
        learned = observe(learned, replace(ANSWER, family=f"family {number}", devices=(f"device {number}",)))
    assert len(learned.ratios) == 400
    assert correct(FORECAST, learned, devices=("device 0",), family="family 0") == FORECAST
    assert correct(FORECAST, learned, devices=("device 299",), family="family 299").origin == "learned"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version":2,"learned":{"ratios":{},"turn":0}}', to_json(taught(8.0))[:-3]]
)
def test_a_damaged_file_counts_as_nothing_learned(text: str) -> None:
    assert from_json(text) == NOTHING_LEARNED


def test_the_forecast_at_another_depth() -> None:
    assert decode_at(FORECAST, 1024) == pytest.approx(10.0)
    assert 1 / decode_at(FORECAST, 2048) == pytest.approx(0.1 + 1024e-5)
    assert decode_at(replace(FORECAST, depth_seconds=1.0), 0) == pytest.approx(100.0)
