"""What the user looks for, the question to the service that it makes, and the order of the answer: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.catalogue_values import CatalogueFit, CatalogueModel, CatalogueQuery
from app.plan_values import PlanVerdict

BILLION = 1_000_000_000
# Class of size: more than the first and at most the second number of parameters.
SIZES: dict[str, tuple[int | None, int | None]] = {
    "any": (None, None),
    "tiny": (None, 2 * BILLION),
    "small": (2 * BILLION + 1, 5 * BILLION),
    "medium": (5 * BILLION + 1, 10 * BILLION),
    "large": (10 * BILLION + 1, 40 * BILLION),
    "huge": (40 * BILLION + 1, None),
}
SORTS = ("best", "size", "family", "title")
_RUNS: frozenset[PlanVerdict] = frozenset({"fits", "tight", "partly_on_cpu"})
_RANKS: dict[PlanVerdict | None, int] = {
    "fits": 0,
    "tight": 1,
    "partly_on_cpu": 2,
    "larger_than_memory": 4,
    "does_not_fit": 5,
    None: 6,
}
_RANK_UNKNOWN = 3
_RANK_NOT_TO_BE_HAD = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """fits, here: only models that run on this computer, or lie on it. size: a key of SIZES, sort: one of SORTS."""

    text: str = ""
    abilities: frozenset[str] = frozenset()
    size: str = "any"
    commercial: bool = False
    unconfirmed: bool = False
    fits: bool = False
    here: bool = False
    sort: str = "best"

    @property
    def filtered(self) -> bool:
        """Whether anything but the text leaves models out."""
        return bool(self.abilities or self.size != "any" or self.commercial or self.fits or self.here)


def query(wanted: Wanted) -> CatalogueQuery:
    """What the service is asked; the rest is decided here, because it changes with every fit that arrives."""
    least, most = SIZES[wanted.size]
    return CatalogueQuery(
        text=wanted.text.strip(),
        abilities=tuple(sorted(wanted.abilities)),
        min_parameters=least,
        max_parameters=most,
        commercial=wanted.commercial,
        unconfirmed=wanted.unconfirmed,
    )


def runs(fit: CatalogueFit | None) -> bool:
    """Whether it is known that a model runs well enough here."""
    return fit is not None and fit.verdict in _RUNS


def arranged(
    models: Sequence[CatalogueModel],
    fits: Mapping[str, CatalogueFit],
    places: Mapping[str, int],
    wanted: Wanted,
) -> tuple[CatalogueModel, ...]:
    """The models to be shown, in the order that is wanted.

    models: as the service found them, the best match first. places: of families in the whole catalogue, the newest of
    each maker first.
    """
    shown = [
        model for model in models if (not wanted.here or model.local) and (not wanted.fits or runs(fits.get(model.id)))
    ]
    last = len(places)
    match wanted.sort:
        case "size":
            shown.sort(key=lambda model: (model.total_parameters, places.get(model.family, last)))
        case "family":
            shown.sort(key=lambda model: (places.get(model.family, last), model.total_parameters))
        case "title":
            shown.sort(key=lambda model: model.name.en.casefold())
        case _ if not wanted.text.strip():
            shown.sort(key=lambda model: _suitability(model, fits.get(model.id), places.get(model.family, last)))
    return tuple(shown)


def alternative(
    model: CatalogueModel, models: Sequence[CatalogueModel], fits: Mapping[str, CatalogueFit]
) -> CatalogueModel | None:
    """The largest model that runs here and can do the same, if possible of the same family or maker."""
    able = [
        one
        for one in models
        if one.id != model.id and runs(fits.get(one.id)) and set(model.abilities) <= set(one.abilities)
    ]
    return max(
        able,
        key=lambda one: (one.family == model.family, one.vendor == model.vendor, one.total_parameters),
        default=None,
    )


def _suitability(model: CatalogueModel, fit: CatalogueFit | None, place: int) -> tuple[int, int, int]:
    """What is here first; then what runs best, of that the newest, and of those the most able."""
    if model.local:
        rank = -1
    elif model.state != "ready":
        rank = _RANK_NOT_TO_BE_HAD
    else:
        rank = _RANK_UNKNOWN if fit is None else _RANKS[fit.verdict]
    return rank, place, -model.total_parameters
