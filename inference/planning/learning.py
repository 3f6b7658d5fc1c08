"""What real answers teach about forecasts: how far off they were, by devices, family and kind of work.

Kept as natural logarithms of actual / predicted, averaged with weights that fade. Pure: whoever owns the file keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from inference.planning.values import Range, SpeedForecast

Work = Literal["decode", "prefill"]

_VERSION = 1
# The newest answer counts for this part once there are many.
_NEWEST = 0.2
# One answer moves the average by at most this factor; a slower one by less, since other programs only ever slow down.
_FASTER_STEP, _SLOWER_STEP = math.log(1.5), math.log(1.25)
# An answer during which tokens came this unevenly (median to best) was disturbed.
_DISTURBED = 1.3
# Too short to be timed.
_LEAST_TOKENS: Mapping[Work, int] = {"decode": 16, "prefill": 128}
_FURTHEST = math.log(8.0)
# The forecast counts as much as so many answers.
_FORECAST_WEIGHT = 0.5
# The range after learning is never narrower, and after so few answers no narrower than what the answers differ by.
_LEAST_SPREAD = 0.05
_UNKNOWN_DEVIATION = 0.15
_MOST_ENTRIES = 400
_ANY_FAMILY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One real answer. predicted, actual: tokens per second, predicted as forecast *before* any correction.

    devices: what the model lay on, by names that outlast a restart ("NVIDIA GeForce RTX 3090"), the processor included
    if it computed. family: the architecture. unevenness: median to best of the seconds of its tokens, 1.0 if unknown.
    """

    devices: tuple[str, ...]
    family: str
    work: Work
    predicted: float
    actual: float
    tokens: int
    unevenness: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """mean, deviation: of log(actual / predicted). answers: how many it was made of. turn: of the last one."""

    mean: float
    deviation: float
    answers: int
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Everything learned so far. turn: observations counted."""

    ratios: dict[str, Ratio] = field(default_factory=dict)
    turn: int = 0


NOTHING_LEARNED = Learned()


def observe(learned: Learned, observation: Observation) -> Learned:
    """Learn from one answer; disturbed, too short and impossible ones change nothing."""
    if not _usable(observation):
        return learned
    log = math.log(observation.actual / observation.predicted)
    if abs(log) > _FURTHEST:
        return learned
    turn = learned.turn + 1
    ratios = dict(learned.ratios)
    for family in (observation.family, _ANY_FAMILY):
        key = _key(observation.devices, family, observation.work)
        ratios[key] = _next(ratios.get(key), log, turn)
    if len(ratios) > _MOST_ENTRIES:
        newest = sorted(ratios, key=lambda key: ratios[key].turn, reverse=True)[:_MOST_ENTRIES]
        ratios = {key: ratios[key] for key in newest}
    return Learned(ratios=ratios, turn=turn)


def correct(forecast: SpeedForecast, learned: Learned, *, devices: tuple[str, ...], family: str) -> SpeedForecast:
    """The forecast as experience has it: nearer and narrower, with the origin "learned" where this family was seen.

    Of a family that was not seen on these devices, what others taught shifts the forecast, but not its origin.
    """
    ranges: dict[Work, Range] = {"decode": forecast.decode, "prefill": forecast.prefill}
    seen = False
    factor = 1.0
    for work in ("decode", "prefill"):
        own = learned.ratios.get(_key(devices, family, work))
        ratio = own or learned.ratios.get(_key(devices, _ANY_FAMILY, work))
        if ratio is None:
            continue
        ranges[work] = _corrected(ranges[work], ratio, same_family=own is not None)
        if work == "decode":
            seen = own is not None
            factor = forecast.decode.likely / ranges[work].likely
    return replace(
        forecast,
        decode=ranges["decode"],
        prefill=ranges["prefill"],
        origin="learned" if seen else forecast.origin,
        depth_seconds=forecast.depth_seconds * factor,
    )


def decode_at(forecast: SpeedForecast, depth_tokens: int) -> float:
    """Likely tokens per second at another depth, for comparing an answer with the forecast."""
    deeper = forecast.depth_seconds * (depth_tokens - forecast.depth_tokens)
    seconds = 1.0 / forecast.decode.likely
    return 1.0 / max(seconds + deeper, seconds / 10)


def to_json(learned: Learned) -> str:
    """As it is written to disk."""
    return msgspec.json.encode(_File(version=_VERSION, learned=learned)).decode()


def from_json(text: str) -> Learned:
    """Nothing learned, when it is damaged or of another version."""
    try:
        file = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, UnicodeError):
        return NOTHING_LEARNED
    sound = all(
        abs(ratio.mean) <= _FURTHEST and 0 <= ratio.deviation <= _FURTHEST and ratio.answers >= 1
        for ratio in file.learned.ratios.values()
    )
    return file.learned if file.version == _VERSION and sound else NOTHING_LEARNED


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    learned: Learned


def _usable(observation: Observation) -> bool:
    figures = (observation.predicted, observation.actual)
    return (
        all(math.isfinite(figure) and figure > 0 for figure in figures)
        and observation.tokens >= _LEAST_TOKENS[observation.work]
        and observation.unevenness <= _DISTURBED
    )


def _key(devices: tuple[str, ...], family: str, work: Work) -> str:
    return "\n".join((work, family, *sorted(devices)))


def _next(before: Ratio | None, log: float, turn: int) -> Ratio:
    if before is None:
        return Ratio(mean=log, deviation=_UNKNOWN_DEVIATION, answers=1, turn=turn)
    # A plain average of the first answers, then one that fades.
    part = max(_NEWEST, 1.0 / (before.answers + 1))
    step = max(-_SLOWER_STEP, min(_FASTER_STEP, log - before.mean))
    mean = before.mean + part * step
    deviation = math.sqrt((1.0 - part) * (before.deviation**2 + part * step**2))
    return Ratio(mean=mean, deviation=deviation, answers=before.answers + 1, turn=turn)


def _corrected(foretold: Range, ratio: Ratio, *, same_family: bool) -> Range:
    trust = ratio.answers / (ratio.answers + _FORECAST_WEIGHT)
    likely = foretold.likely * math.exp(trust * ratio.mean)
    low, high = math.log(foretold.likely / foretold.low), math.log(foretold.high / foretold.likely)
    if same_family:
        learned = max(_LEAST_SPREAD, 2.0 * ratio.deviation / math.sqrt(min(ratio.answers, 1.0 / _NEWEST)))
        low, high = min(low, learned), min(high, learned)
    return Range(low=likely * math.exp(-low), likely=likely, high=likely * math.exp(high))
