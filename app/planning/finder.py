"""Which models a name means: a file, a model of this computer, of the catalogue, or one in a repository."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from app.errors import ModelMissing
from app.planning.models import LocalModels, PlanModel
from models_catalog.library import ModelFile, list_models

OnWait = Callable[[], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One quantization. read: its plan data; raises leaves of CatalogError. size_bytes: None when nobody said."""

    quantization: str
    size_bytes: int | None
    read: Callable[[OnWait], Awaitable[PlanModel]]


class Finder:
    """For the thread of one event loop."""

    def __init__(self, *, models_folder: Path, local: LocalModels) -> None:
        self._models_folder, self._local = models_folder, local

    async def find(self, target: str, on_wait: OnWait) -> tuple[Found, ...]:
        """At least one. Raises ModelMissing, and what a repository that is asked brings up."""
        path = Path(target).expanduser()
        if path.is_file() or path.is_absolute() or target.startswith((".", "~")):
            return (self._file(path),)
        installed = await asyncio.to_thread(list_models, [self._models_folder])
        if (model := _meant(target, installed)) is not None:
            return (self._file(Path(model.path)),)
        raise ModelMissing(model=target, available=tuple(model.id for model in installed))

    def _file(self, path: Path) -> Found:
        async def read(_: OnWait) -> PlanModel:
            return await asyncio.to_thread(self._local.read, path)

        return Found(quantization=path.name, size_bytes=None, read=read)


def _meant(target: str, models: tuple[ModelFile, ...]) -> ModelFile | None:
    wanted = target.casefold()
    exact = [model for model in models if wanted in (model.id.casefold(), model.name.casefold())]
    return exact[0] if len(exact) == 1 else None
