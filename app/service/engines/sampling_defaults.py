"""The sampling that holds where a request asks for nothing, as faces and API clients are shown it."""

from __future__ import annotations

from dataclasses import fields

from app.values import SamplingDefaults
from inference.text.manner import settled
from inference.values import ModelFacts, ModelManner, Sampling, SamplingAdvice, SamplingWish


def sampling_defaults(facts: ModelFacts) -> SamplingDefaults:
    """Of a loaded model."""
    return SamplingDefaults(thinking=_values(facts.sampling_thinking), answering=_values(facts.sampling_answering))


def expected_defaults(manner: ModelManner | None) -> SamplingDefaults:
    """Of a model that is not loaded: what its own file says beside the catalogue is not known yet."""
    nothing = SamplingWish()
    of = manner or ModelManner(model="")
    return SamplingDefaults(
        thinking=_values(settled(nothing, of.sampling_thinking)),
        answering=_values(settled(nothing, of.sampling_answering)),
    )


def _values(sampling: Sampling) -> dict[str, float]:
    return {field.name: getattr(sampling, field.name) for field in fields(SamplingAdvice)}
