"""The models on this computer: those in the models folder and those the user added from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from app.errors import ModelMissing, NoModelInstalled
from app.values import ImportReport, LocalModel, ModelRemoval
from models_catalog.errors import FolderWithoutModels
from models_catalog.library.values import OURS


class Library(Protocol):
    """What the engines need to know about models."""

    async def find(self, wanted: str) -> LocalModel:
        """The model with this id, or the only one that the name can mean. Raises ModelMissing."""
        ...

    async def default(self) -> LocalModel:
        """The model that answers when none is named and none is loaded. Raises NoModelInstalled."""
        ...


class Shelf(Protocol):
    """Where model files are; its methods block and may be called from any thread."""

    def models(self) -> tuple[LocalModel, ...]:
        """All model files, by name."""
        ...

    def add(self, path: Path) -> LocalModel:
        """Remember a model file that lies elsewhere. Raises leaves of ModelFileRefused."""
        ...

    def add_folder(self, folder: Path) -> ImportReport:
        """Remember all models in a folder that lies elsewhere."""
        ...

    def removal(self, model_id: str) -> ModelRemoval:
        """What `remove` would do. Raises ModelMissing."""
        ...

    def remove(self, model_id: str) -> ModelRemoval:
        """Delete a model of the models folder, take any other from the list. Raises ModelMissing, FolderUnwritable."""
        ...


class LocalLibrary:
    """Looks at the disk anew for every question, in a thread.

    preferred: ids in the order in which they are tried as the default.
    """

    def __init__(self, shelf: Shelf, preferred: Callable[[], Sequence[str]]) -> None:
        self._shelf = shelf
        self._preferred = preferred

    async def models(self) -> tuple[LocalModel, ...]:
        """All models, by name."""
        return await asyncio.to_thread(self._shelf.models)

    async def add(self, path: Path) -> LocalModel:
        """Use a model file where it lies. Raises leaves of ModelFileRefused, DataFolderUnusable."""
        return await asyncio.to_thread(self._shelf.add, path)

    async def add_folder(self, folder: Path) -> ImportReport:
        """Use all models of a folder where they lie. Raises FolderWithoutModels, DataFolderUnusable."""
        report = await asyncio.to_thread(self._shelf.add_folder, folder)
        if not report.models and not report.refused:
            raise FolderWithoutModels(path=str(folder))
        return report

    async def removal(self, model_id: str) -> ModelRemoval:
        """What `remove` would do. Raises ModelMissing."""
        return await asyncio.to_thread(self._shelf.removal, model_id)

    async def remove(self, model_id: str) -> ModelRemoval:
        """Delete a model of the models folder, take any other from the list. Raises ModelMissing, FolderUnwritable."""
        return await asyncio.to_thread(self._shelf.remove, model_id)

    async def find(self, wanted: str) -> LocalModel:
        """The model with this id, or the only one that the name can mean. Raises ModelMissing."""
        return match(wanted, await self.models())

    async def default(self) -> LocalModel:
        """The preferred one that is here, else the one added last, before those of other programs.

        Raises NoModelInstalled.
        """
        models = [model for model in await self.models() if model.problem is None]
        by_id = {model.id: model for model in models}
        for model_id in self._preferred():
            if model_id in by_id:
                return by_id[model_id]
        if not models:
            raise NoModelInstalled()
        return max(models, key=lambda model: (model.place in OURS, model.added_at))


def match(wanted: str, models: Sequence[LocalModel]) -> LocalModel:
    """The model with this id; else the only one whose id or name is `wanted` but for case; else the only one that
    contains it. Raises ModelMissing."""
    for model in models:
        if model.id == wanted:
            return model
    folded = wanted.casefold()
    same = [model for model in models if folded in (model.id.casefold(), model.name.casefold())]
    alike = [model for model in models if folded in model.id.casefold() or folded in model.name.casefold()]
    for candidates in (same, alike):
        if len(candidates) == 1:
            return candidates[0]
    raise ModelMissing(model=wanted, available=tuple(model.id for model in models))
