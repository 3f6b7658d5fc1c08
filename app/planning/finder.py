"""Which models a name means: a file, a model of this computer, of the catalogue, or one in a repository."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.errors import ModelMissing
from app.planning.models import LocalModels, PlanModel, from_plan_data
from models_catalog.errors import RepositoryWithoutGguf
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.search import find_model
from models_catalog.families.values import Model
from models_catalog.plan_cache import PlanCache
from models_catalog.plan_library import published_models, published_plan_data, starter_plan_data
from models_catalog.plan_source import PlanSource
from models_catalog.remote_header.kept_listings import KeptListings
from models_catalog.remote_header.values import Quantization

OnWait = Callable[[], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One quantization. read: its plan data; raises leaves of CatalogError. size_bytes: None when nobody said.

    listed_at: when a hub listed it, in seconds since the epoch, where no hub can be asked now.
    """

    quantization: str
    size_bytes: int | None
    read: Callable[[], Awaitable[PlanModel]]
    listed_at: float | None = None


class Installed(Protocol):
    """A model of this computer."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...


class Finder:
    """For the thread of one event loop.

    installed: lists this computer's models, blocking. cache_folder: where plan data of distant models is kept,
    listings_folder: what hubs list. families_folder: the user's own entries of the catalogue.
    """

    def __init__(
        self,
        *,
        installed: Callable[[], Sequence[Installed]],
        local: LocalModels,
        cache_folder: Path,
        families_folder: Path | None = None,
        listings_folder: Path | None = None,
    ) -> None:
        self._installed, self._local = installed, local
        self._catalogue = KeptIndex(families_folder)
        self._source = PlanSource(
            cache=PlanCache(cache_folder),
            listings=KeptListings(listings_folder),
            on_listed=self._catalogue.listed,
        )

    async def find(self, target: str, on_wait: OnWait) -> tuple[Found, ...]:
        """At least one. Raises ModelMissing, and what a repository that is asked brings up."""
        path = Path(target).expanduser()
        if path.is_file() or path.is_absolute() or target.startswith((".", "~")):
            return (self._file(path),)
        installed = await asyncio.to_thread(self._installed)
        if (model := _meant(target, installed)) is not None:
            return (self._file(Path(model.path)),)
        if (published := _published(target)) is not None:
            return published
        if (head := starter_plan_data(target)) is not None:
            return (_from_head(target, head),)
        if (listed := await asyncio.to_thread(self._of_catalogue, target)) is not None:
            shipped = _from_catalogue(listed, target)
            if shipped is not None:
                return shipped
            target = _repository(listed, target)
        if "/" in target:
            if on_wait is not None:
                on_wait()
            return tuple(map(self._distant, await self._source.resolve(target)))
        raise ModelMissing(model=target, available=tuple(model.id for model in installed))

    def _of_catalogue(self, target: str) -> Model | None:
        return find_model(self._catalogue.get().index, target.partition(":")[0])

    def _distant(self, quantization: Quantization) -> Found:
        async def read() -> PlanModel:
            head = await self._source.plan_data_of(quantization)
            name = quantization.origin.rpartition("/")[2] or quantization.name
            return from_plan_data(head, path=quantization.origin, name=name, quantization=quantization.name)

        return Found(
            quantization=quantization.name,
            size_bytes=quantization.size_bytes,
            read=read,
            listed_at=quantization.listed_at,
        )

    def _file(self, path: Path) -> Found:
        async def read() -> PlanModel:
            return await asyncio.to_thread(self._local.read, path)

        return Found(quantization=path.name, size_bytes=None, read=read)


def _published(target: str) -> tuple[Found, ...] | None:
    """Quantizations of a published model whose plan data ships with the app: "qwen3-8b", "Qwen3 8B:Q8_0"."""
    name, _, quantization = target.partition(":")
    plain = "-".join(name.casefold().split())
    return _of_library(plain, plain, quantization)


def shipped(model: Model) -> tuple[Found, ...]:
    """Quantizations of the catalogue's model that can be planned by what ships with the app; () for none."""
    return _from_catalogue(model, model.id) or ()


def _from_catalogue(model: Model, target: str) -> tuple[Found, ...] | None:
    """By shipped plan data of the catalogue's model, or of another of the very same shape, under its own name."""
    quantization = target.partition(":")[2]
    if model.plan_data is None:
        return None
    if (head := starter_plan_data(model.plan_data)) is not None:
        found = _from_head(model.id, head)
        return (found,) if quantization.casefold() in ("", found.quantization.casefold()) else None
    return _of_library(model.plan_data, model.id, quantization)


def _repository(model: Model, target: str) -> str:
    """Where the model's files are, as `PlanSource` understands it. Raises RepositoryWithoutGguf."""
    _, colon, quantization = target.partition(":")
    for source in model.sources:
        repository = source.huggingface or source.modelscope
        if repository is not None:
            return f"{repository.name}{colon}{quantization}"
    original = model.original.huggingface or model.original.modelscope
    raise RepositoryWithoutGguf(original.name if original else model.id)


def _of_library(plan_data: str, name: str, quantization: str) -> tuple[Found, ...] | None:
    sizes = published_models().get(plan_data)
    if sizes is None:
        return None
    wanted = [one for one in sizes if not quantization or one.casefold() == quantization.casefold()]
    return tuple(_from_library(plan_data, name, one, sizes[one]) for one in wanted) or None


def _from_head(name: str, head: bytes) -> Found:
    model = from_plan_data(head, path=f"{name}.gguf", name=name, quantization="")

    async def read() -> PlanModel:
        return model

    return Found(quantization=model.header.quantization, size_bytes=model.file_bytes, read=read)


def _from_library(plan_data: str, name: str, quantization: str, size_bytes: int) -> Found:
    def unpacked() -> PlanModel:
        head = published_plan_data(plan_data, quantization)
        assert head is not None
        return from_plan_data(head, path=f"{name}.{quantization}.gguf", name=name, quantization=quantization)

    async def read() -> PlanModel:
        return await asyncio.to_thread(unpacked)

    return Found(quantization=quantization, size_bytes=size_bytes, read=read)


def _meant(target: str, models: Sequence[Installed]) -> Installed | None:
    wanted = target.casefold()
    exact = [model for model in models if wanted in (model.id.casefold(), model.name.casefold())]
    return exact[0] if len(exact) == 1 else None
