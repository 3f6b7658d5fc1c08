"""What the catalogue knows, as it crosses between the service and its faces."""

from __future__ import annotations

from dataclasses import dataclass

from app.plan_values import PlanVerdict
from app.values import ErrorBody


@dataclass(frozen=True, slots=True, kw_only=True)
class BothLanguages:
    """A text of the catalogue in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueQuery:
    """What is looked for. text: Chinese, pinyin or English; the rest are filters, "" and () and None for none.

    commercial: only licences that allow it without a form. unconfirmed: models that no listing has shown, too.
    """

    text: str = ""
    abilities: tuple[str, ...] = ()
    min_parameters: int | None = None
    max_parameters: int | None = None
    licence: str = ""
    commercial: bool = False
    vendor: str = ""
    states: tuple[str, ...] = ()
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueModel:
    """A model in a list. The words are those of `models_catalog.families.values`.

    local: ids of the models on this computer that are it, in some quantization. plannable: its fit can be told without
    the network.
    """

    id: str
    family: str
    name: BothLanguages
    vendor: BothLanguages
    total_parameters: int
    active_parameters: int | None
    context_tokens: int | None
    licence: BothLanguages
    commercial: str
    abilities: tuple[str, ...]
    state: str
    reason: BothLanguages | None
    successor: str | None
    confirmed: bool
    own: bool
    plannable: bool
    local: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyProblem:
    """A family file of the user that was left out, and where in it something is wrong."""

    path: str
    key: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFound:
    """The best match first. hidden: how many more match that no listing has confirmed.

    date: of the catalogue, "2026-11-24". updated: it is newer than what came with the program.
    """

    models: tuple[CatalogueModel, ...]
    hidden: int
    problems: tuple[FamilyProblem, ...]
    date: str
    updated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSource:
    """A repository with files of a model. address: its page. confirmed: a listing has shown it."""

    hub: str
    repository: str
    revision: str
    address: str
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueDetail:
    """All that the catalogue says of one model to a person."""

    model: CatalogueModel
    family: BothLanguages
    about: BothLanguages
    licence_terms: BothLanguages
    note: BothLanguages | None
    architecture: str
    sources: tuple[CatalogueSource, ...]
    original: tuple[CatalogueSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFit:
    """How the quantization to take of a model would run on this computer; `plans` tells of the others.

    needed_bytes of budget_bytes: on the device that is fullest. short_bytes: what is missing there, 0 if it fits.
    decode: tokens per second as low - likely - high. error: why there is no answer (the rest says nothing then).
    """

    model: str
    quantization: str = ""
    size_bytes: int = 0
    verdict: PlanVerdict | None = None
    needed_bytes: int = 0
    budget_bytes: int = 0
    short_bytes: int = 0
    decode: tuple[float, float, float] | None = None
    context: int = 0
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueUpdate:
    """Whether the catalogue may renew itself and how that went.

    state: "never" (not allowed, or not tried), "checking", "current", "updated", "failed". date: of the catalogue in
    use. checked_at: seconds since the epoch, None if never.
    """

    allowed: bool
    state: str
    date: str
    checked_at: float | None = None
    error: ErrorBody | None = None
