"""What hubs' listings showed of the catalogue's sources since it was made: kept in a file, laid over the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec

from models_catalog.families.values import Family, Listing, Model, Source
from models_catalog.families.whole_write import write_whole

NAME = "listings.json"
_MAX_BYTES = 4 * 1024 * 1024
Listings = Mapping[str, Listing]


class _Line(msgspec.Struct, frozen=True):
    there: bool
    date: str


class ListedSources:
    """The file in the folder; it may be deleted at any time. May be used from any thread.

    When two processes write at once, one of them may forget what the other saw, until the next listing.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self._lock = threading.Lock()

    def read(self) -> Listings:
        """By `key`; empty where there is no file or one that cannot be read."""
        try:
            if self._file.stat().st_size > _MAX_BYTES:
                return {}
            lines = msgspec.json.decode(self._file.read_bytes(), type=dict[str, _Line])
        except (OSError, msgspec.DecodeError, RecursionError):
            return {}
        return {
            name: Listing(hub=name.partition(":")[0], there=line.there, date=line.date) for name, line in lines.items()
        }

    def note(self, hub: str, repository: str, *, there: bool, today: date) -> bool:
        """Remember what a listing showed; whether that changed anything. A folder that cannot be written is no error:
        the next listing shows the same."""
        with self._lock:
            lines = {name: _Line(there=line.there, date=line.date) for name, line in self.read().items()}
            name = key(hub, repository)
            if name in lines and lines[name].there == there:
                return False
            lines[name] = _Line(there=there, date=today.isoformat())
            try:
                write_whole(self._file, msgspec.json.encode(lines))
            except OSError:
                return False
            return True


def key(hub: str, repository: str) -> str:
    """hub: "huggingface" or "modelscope"; a mirror shows what its hub has."""
    return f"{'huggingface' if hub == 'hf-mirror' else hub}:{repository}".casefold()


def worth_noting(models: Iterable[Model], hub: str, repository: str, *, there: bool) -> bool:
    """Whether the catalogue names the repository and says something else of it."""
    name = key(hub, repository)
    for model in models:
        for source in model.sources:
            if name in _keys(source):
                listing = next((one for one in source.listings if key(one.hub, repository) == name), None)
                said = listing.there if listing else source.confirmed
                if said != there:
                    return True
    return False


def with_listings(families: tuple[Family, ...], listings: Listings) -> tuple[Family, ...]:
    """The families with what listings showed: a source that was seen is confirmed, and so is its model."""
    if not listings:
        return families
    return tuple(_family(family, listings) for family in families)


def _family(family: Family, listings: Listings) -> Family:
    models = tuple(_model(model, listings) for model in family.models)
    unchanged = all(one is other for one, other in zip(models, family.models, strict=True))
    return family if unchanged else replace(family, models=models)


def _model(model: Model, listings: Listings) -> Model:
    if not any(name in listings for source in model.sources for name in _keys(source)):
        return model
    sources = tuple(_source(source, listings) for source in model.sources)
    seen = any(listing.there for source in sources for listing in source.listings)
    return replace(model, sources=sources, confirmed=model.confirmed or seen)


def _source(source: Source, listings: Listings) -> Source:
    found = tuple(listings[name] for name in _keys(source) if name in listings)
    if not found:
        return source
    return replace(source, listings=found, confirmed=source.confirmed or any(one.there for one in found))


def _keys(source: Source) -> tuple[str, ...]:
    places = (("huggingface", source.huggingface), ("modelscope", source.modelscope))
    return tuple(key(hub, repository.name) for hub, repository in places if repository is not None)
