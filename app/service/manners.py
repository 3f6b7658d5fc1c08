"""From what the catalogue says of a model to how its engine is to talk to it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.service.template_reports import TemplateReports
from app.values import LocalModel
from inference.text.profiles import choose_profile
from inference.values import ModelManner, SamplingAdvice, ThinkingHabit

if TYPE_CHECKING:
    from models_catalog.families.values import Mode, Model, Thinking

log = logging.getLogger(__name__)


class Manners:
    """For the service's loop only. recognise: the model of the catalogue that a file is, None for one it knows not.

    reports: what the doctor said of the file's own template; one with which no chat works is known to be wrong.
    """

    def __init__(
        self, recognise: Callable[[LocalModel], Awaitable[Model | None]], reports: TemplateReports | None = None
    ) -> None:
        self._recognise, self._reports = recognise, reports

    async def of(self, model: LocalModel) -> ModelManner | None:
        """None for a model that the catalogue does not know. Never raises: a model can do without."""
        try:
            found = await self._recognise(model)
        except Exception:
            log.exception("the catalogue cannot be asked about %s", model.id)
            return None
        if found is None:
            return None
        manner = manner_of(found)
        report = self._reports.of_model(model) if self._reports is not None else None
        return manner if report is None or report.usable else replace(manner, own_is_wrong=True)


def manner_of(model: Model) -> ModelManner:
    """What of the catalogue's entry the engine needs."""
    from models_catalog.families.values import GgufTemplate, Mode, TokenIdTemplate

    profile = model.profile
    if isinstance(profile.template, GgufTemplate):
        fitting = choose_profile(model.architecture or "", model.name.en)
        template = fitting.name if fitting is not None else None
    else:
        template = profile.template.name
    return ModelManner(
        model=model.id,
        template=template,
        own_is_wrong=isinstance(profile.template, TokenIdTemplate),
        stop=profile.stop,
        thinking=_habit(profile.thinking) if profile.thinking is not None else None,
        sampling_thinking=_advice(model, Mode.THINKING),
        sampling_answering=_advice(model, Mode.ANSWERING),
    )


def _habit(thinking: Thinking) -> ThinkingHabit:
    switch = thinking.switch
    return ThinkingHabit(
        open=thinking.open,
        close=thinking.close,
        starts_open=thinking.starts_open,
        default=thinking.default,
        variable=switch.variable if switch is not None else None,
        on=switch.on if switch is not None else True,
        off=switch.off if switch is not None else False,
        soft_on=thinking.soft_on,
        soft_off=thinking.soft_off,
    )


def _advice(model: Model, mode: Mode) -> SamplingAdvice:
    """For this mode, else for always."""
    from models_catalog.families.values import Mode

    by_mode = {sampling.mode: sampling for sampling in model.sampling}
    found = by_mode.get(mode) or by_mode.get(Mode.ALWAYS)
    if found is None:
        return SamplingAdvice()
    return SamplingAdvice(
        temperature=found.temperature,
        top_k=found.top_k,
        top_p=found.top_p,
        min_p=found.min_p,
        repeat_penalty=found.repeat_penalty,
        frequency_penalty=found.frequency_penalty,
        presence_penalty=found.presence_penalty,
    )
