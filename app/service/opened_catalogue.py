"""A catalogue in memory and the answers that are made of it; imported only once somebody asks for it."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from app.catalogue_values import CatalogueDetail, CatalogueFound, CatalogueModel, CatalogueQuery, FamilyProblem
from app.errors import BadRequest
from app.planning.finder import Found, shipped
from app.planning.models import PlanModel
from app.service.catalogue_fits import Shape
from app.service.catalogue_view import both, both_or_none, catalogue_model, original_sources, sources
from app.values import LocalModel
from models_catalog.errors import CatalogueModelUnknown
from models_catalog.families.kept_index import KeptIndex, Ready
from models_catalog.families.query import Filters, Query, parse_query
from models_catalog.families.recognise import Recogniser, Traits
from models_catalog.families.search import likely, search
from models_catalog.families.values import Ability, Commercial, Model, State
from models_catalog.sources.addresses import Addresses

# More than anybody has; each costs some microseconds to recognise, and they are asked about at every keystroke.
_FILES_REMEMBERED = 8_192
ReadFile = Callable[[Path], PlanModel]
_Local = Mapping[str, tuple[LocalModel, ...]]
_Word = TypeVar("_Word", bound=StrEnum)


class CatalogueReader:
    """For one thread at a time."""

    def __init__(self, families_folder: Path) -> None:
        self._index = KeptIndex(families_folder)
        self._opened: OpenedCatalogue | None = None

    def read(self) -> OpenedCatalogue:
        """The catalogue as it is now: the same object while nothing of it changed."""
        ready = self._index.get()
        if self._opened is None or self._opened.ready is not ready:
            self._opened = OpenedCatalogue(ready)
        return self._opened


class OpenedCatalogue:
    """May be asked from any thread; `local` are the models on this computer."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready
        self._models = {model.id: model for model in ready.index.models}
        self._plannable = frozenset(model.id for model in ready.index.models if shipped(model))
        self._recognised = lru_cache(maxsize=_FILES_REMEMBERED)(Recogniser(ready.index).recognise)

    def search(self, query: CatalogueQuery, local: Sequence[LocalModel]) -> CatalogueFound:
        """Raises BadRequest for a filter that there is not."""
        matching = [hit.model for hit in search(self.ready.index, _parsed(query)) if _passes(hit.model, query)]
        shown = [model for model in matching if query.unconfirmed or model.confirmed or model.own]
        here = self._here(local)
        return CatalogueFound(
            models=tuple(self._row(model, here) for model in shown),
            hidden=len(matching) - len(shown),
            problems=tuple(
                FamilyProblem(path=one.path, key=one.key, problem=one.problem) for one in self.ready.problems
            ),
            date=self.ready.date,
            updated=self.ready.updated,
        )

    def detail(self, model_id: str, local: Sequence[LocalModel]) -> CatalogueDetail:
        """Raises CatalogueModelUnknown."""
        model = self._models.get(model_id)
        if model is None:
            raise CatalogueModelUnknown(name=model_id, candidates=likely(self.ready.index, model_id))
        family = next(one for one in self.ready.index.families if one.id == model.family)
        addresses = Addresses.from_environment(os.environ)
        return CatalogueDetail(
            model=self._row(model, self._here(local)),
            family=both(family.name),
            about=both(family.about),
            licence_terms=both(model.licence.terms),
            note=both_or_none(model.note),
            architecture=model.architecture or "",
            sources=sources(model, addresses),
            original=original_sources(model, addresses),
        )

    def shapes(self, model_ids: Iterable[str], local: Sequence[LocalModel], read_file: ReadFile) -> list[Shape]:
        """What can be planned without the network: by what ships with the app, else by files that are here.

        read_file: blocking; raises leaves of ModelFileRefused. Ids that the catalogue has not are left out: it may have
        changed since they were read.
        """
        here = self._here(local)
        found = []
        for model_id in dict.fromkeys(model_ids):
            if model_id in self._plannable:
                model = self._models[model_id]
                found.append(Shape(model=model_id, key=f"shipped {model.plan_data}", found=shipped(model)))
            elif files := here.get(model_id):
                found.append(_of_files(model_id, files, read_file))
        return found

    def recognise(self, file: LocalModel) -> Model | None:
        """The model that a file on this computer is; None for one that the catalogue does not know."""
        return self._recognised(
            Traits(file=file.path, origin=file.origin, name=file.name, architecture=file.architecture)
        )

    def _row(self, model: Model, here: _Local) -> CatalogueModel:
        files = here.get(model.id, ())
        return catalogue_model(
            model, local=tuple(one.id for one in files), plannable=bool(files) or model.id in self._plannable
        )

    def _here(self, local: Sequence[LocalModel]) -> _Local:
        """By the catalogue's ids, the models on this computer that can be used."""
        found: defaultdict[str, list[LocalModel]] = defaultdict(list)
        for one in local:
            if one.problem is None and not one.missing and (model := self.recognise(one)) is not None:
                found[model.id].append(one)
        return {model_id: tuple(files) for model_id, files in found.items()}


def _of_files(model_id: str, files: Sequence[LocalModel], read_file: ReadFile) -> Shape:
    by_size = sorted(files, key=lambda one: one.size_bytes)
    return Shape(
        model=model_id,
        key=" ".join(f"{one.path} {one.size_bytes} {one.added_at}" for one in by_size),
        found=tuple(_of_file(one, read_file) for one in by_size),
    )


def _of_file(file: LocalModel, read_file: ReadFile) -> Found:
    async def read() -> PlanModel:
        return await asyncio.to_thread(read_file, Path(file.path))

    return Found(quantization=file.quantization, size_bytes=file.size_bytes, read=read)


def _parsed(query: CatalogueQuery) -> Query:
    """With models that no listing has confirmed: they are counted, if not shown."""
    filters = Filters(
        abilities=frozenset(_members(Ability, "abilities", query.abilities)),
        max_parameters=query.max_parameters,
        licence=query.licence,
        vendor=query.vendor,
        states=frozenset(_members(State, "states", query.states)),
        unconfirmed=True,
    )
    return parse_query(query.text, filters)


def _passes(model: Model, query: CatalogueQuery) -> bool:
    """What the search itself does not filter by."""
    return (query.min_parameters is None or model.total_parameters >= query.min_parameters) and (
        not query.commercial or model.licence.commercial is Commercial.YES
    )


def _members(kind: type[_Word], field: str, names: Iterable[str]) -> list[_Word]:
    try:
        return [kind(name) for name in names]
    except ValueError:
        raise BadRequest(field=field, problem=f"each must be one of {', '.join(kind)}") from None
