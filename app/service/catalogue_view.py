"""From the catalogue's values to what faces are shown. Pure."""

from __future__ import annotations

from app.catalogue_values import BothLanguages, CatalogueModel, CatalogueSource
from models_catalog.families.values import Model, Original, Repository, Source, Words
from models_catalog.sources.addresses import Addresses


def both(words: Words) -> BothLanguages:
    """The same in both languages."""
    return BothLanguages(zh=words.zh, en=words.en)


def both_or_none(words: Words | None) -> BothLanguages | None:
    """None for none."""
    return None if words is None else both(words)


def catalogue_model(model: Model, *, local: tuple[str, ...], plannable: bool) -> CatalogueModel:
    """A row of the list."""
    return CatalogueModel(
        id=model.id,
        family=model.family,
        name=both(model.name),
        vendor=both(model.vendor),
        total_parameters=model.total_parameters,
        active_parameters=model.active_parameters,
        context_tokens=model.context_tokens,
        licence=both(model.licence.name),
        commercial=model.licence.commercial,
        abilities=tuple(model.abilities),
        state=model.state,
        reason=both_or_none(model.reason),
        successor=model.successor,
        confirmed=model.confirmed,
        own=model.own,
        plannable=plannable,
        local=local,
    )


def sources(model: Model, addresses: Addresses) -> tuple[CatalogueSource, ...]:
    """The repositories with files of the model, the best first."""
    return tuple(one for source in model.sources for one in _repositories(source, source.confirmed, addresses))


def original_sources(model: Model, addresses: Addresses) -> tuple[CatalogueSource, ...]:
    """The maker's own repositories."""
    return _repositories(model.original, model.confirmed, addresses)


def _repositories(place: Source | Original, confirmed: bool, addresses: Addresses) -> tuple[CatalogueSource, ...]:
    found = []
    if place.modelscope is not None:
        address = f"{addresses.modelscope}/models/{place.modelscope.name}"
        found.append(_source("modelscope", place.modelscope, address, confirmed))
    if place.huggingface is not None:
        address = f"{addresses.huggingface}/{place.huggingface.name}"
        if place.huggingface.revision:
            address += f"/tree/{place.huggingface.revision}"
        found.append(_source("huggingface", place.huggingface, address, confirmed))
    return tuple(found)


def _source(hub: str, repository: Repository, address: str, confirmed: bool) -> CatalogueSource:
    return CatalogueSource(
        hub=hub,
        repository=repository.name,
        revision=repository.revision or "",
        address=address,
        confirmed=confirmed,
    )
