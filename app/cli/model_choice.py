"""Which of the models on this computer is meant."""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import ModelMissing, NoModelInstalled
from app.values import EngineStatus, LocalModel


def choose_model(
    models: Sequence[LocalModel], engines: Sequence[EngineStatus], wanted: str | None, default: str
) -> LocalModel:
    """The model called `wanted` (id, name, or a part that only one has); else, of those that can be used, the default
    one, one that is loaded, or the newest.

    Raises ModelMissing when `wanted` names none or several, NoModelInstalled when there is no model at all.
    """
    if not models:
        raise NoModelInstalled()
    if wanted:
        return _named(models, wanted)
    usable = [model for model in models if model.problem is None] or models
    by_id = {model.id: model for model in usable}
    loaded = [engine.model for engine in engines if engine.state in ("ready", "loading")]
    for model_id in (default, *loaded):
        if model_id in by_id:
            return by_id[model_id]
    return max(usable, key=lambda model: (model.place in ("library", "added"), model.added_at))


def only_model(models: Sequence[LocalModel], wanted: str) -> LocalModel:
    """The model with this id, else the only one that is called so, else the only one whose id or name has this in it.

    Raises ModelMissing where several could be meant: what is done to a model must not befall another one.
    """
    low = wanted.casefold()
    ways = (
        [model for model in models if model.id == wanted],
        [model for model in models if low in (model.id.casefold(), model.name.casefold())],
        [model for model in models if low in model.id.casefold() or low in model.name.casefold()],
    )
    for candidates in ways:
        if len(candidates) == 1:
            return candidates[0]
    meant = next(filter(None, ways), models)
    raise ModelMissing(model=wanted, available=tuple(model.id for model in meant))


def _named(models: Sequence[LocalModel], wanted: str) -> LocalModel:
    low = wanted.casefold()
    for model in models:
        if low in (model.id.casefold(), model.name.casefold()):
            return model
    partly = [model for model in models if low in model.id.casefold() or low in model.name.casefold()]
    if len(partly) == 1:
        return partly[0]
    raise ModelMissing(model=wanted, available=tuple(model.id for model in partly or models))
