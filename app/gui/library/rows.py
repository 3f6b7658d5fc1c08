"""The rows of the list of models: grouped by the place they are in, each in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from app.values import EngineStatus, Language, LibraryWork, LocalModel, ModelPlace
from app.words import describe, shown_bytes
from resources.wording import text

PLACES: tuple[ModelPlace, ...] = get_args(ModelPlace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Begins the models of one place."""

    title: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model. badge: "" if there is nothing to say of it; note: a sentence, or ""."""

    model: LocalModel
    facts: str
    tone: str = ""
    badge: str = ""
    note: str = ""

    @property
    def spoken(self) -> str:
        """All of it, for those who do not see it."""
        return ", ".join(part for part in (self.model.name, self.badge, self.facts, self.note) if part)


Row = Heading | ModelRow


def rows_of(
    models: Sequence[LocalModel],
    *,
    wanted: str,
    engines: Mapping[str, EngineStatus],
    works: Sequence[LibraryWork],
    language: Language,
) -> tuple[Row, ...]:
    """Grouped in the order of PLACES. wanted: every word of it is in the model's name, id, origin or quantization."""
    running = {work.model: work for work in works if work.state == "running" and work.model}
    asked = wanted.casefold().split()
    rows: list[Row] = []
    for place in PLACES:
        here = [model for model in models if model.place == place and _is_wanted(model, asked)]
        if not here:
            continue
        size = shown_bytes(sum(model.size_bytes for model in here))
        note = text("shelf.group.count", language, count=len(here), size=size)
        rows.append(Heading(title=place_name(place, language), note=note))
        rows.extend(_row(model, engines.get(model.id), running.get(model.id), language) for model in here)
    return tuple(rows)


def place_name(place: ModelPlace, language: Language) -> str:
    """The models folder, or the program whose model it is; begins with a capital."""
    name = text(f"library.place.{place}", language)
    return name[:1].upper() + name[1:]


def problem_words(model: LocalModel, language: Language) -> str:
    """Why it cannot be used, "" if it can."""
    if model.missing:
        return text("shelf.note.missing", language)
    return describe(model.problem.code, model.problem.fields, language) if model.problem else ""


def duplicate_words(model: LocalModel, language: Language) -> str:
    """What it is a copy of, or may be; "" if it is the only one."""
    for others, key in ((model.duplicates, "same"), (model.maybe_duplicates, "maybe_same")):
        if others:
            return text(f"shelf.note.{key}", language, models=_several(others, language))
    return ""


def percent_of(work: LibraryWork) -> int:
    """How far some work is."""
    return int(100 * work.done_bytes / work.total_bytes) if work.total_bytes else 0


def _row(
    model: LocalModel,
    engine: EngineStatus | None,
    work: LibraryWork | None,
    language: Language,
) -> ModelRow:
    def say(key: str, **fields: Any) -> str:
        return text(f"shelf.state.{key}", language, **fields)

    parts = (model.quantization, shown_bytes(model.size_bytes), model.architecture, model.licence)
    facts = " · ".join(part for part in parts if part)
    if work is not None:
        words = say("working", work=text(f"shelf.work.{work.kind}", language), percent=percent_of(work))
        return ModelRow(model=model, facts=facts, tone="busy", badge=words)
    if problem := problem_words(model, language):
        tone, badge = ("warn", say("missing")) if model.missing else ("bad", say("problem"))
        return ModelRow(model=model, facts=facts, tone=tone, badge=badge, note=problem)
    tone, badge = ("good", say("loaded")) if engine is not None and engine.state == "ready" else ("", "")
    note = duplicate_words(model, language)
    if note and not badge:
        tone, badge = "twice", say("duplicate" if model.duplicates else "maybe_duplicate")
    return ModelRow(model=model, facts=facts, tone=tone, badge=badge, note=note)


def _several(ids: Sequence[str], language: Language) -> str:
    """By their ids: copies often have the same name."""
    first = ids[0]
    if len(ids) == 1:
        return first
    return text("shelf.note.others", language, model=first, count=len(ids))


def _is_wanted(model: LocalModel, asked: Sequence[str]) -> bool:
    if not asked:
        return True
    known = f"{model.name} {model.id} {model.origin} {model.quantization}".casefold()
    return all(word in known for word in asked)
