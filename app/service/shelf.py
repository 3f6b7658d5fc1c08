"""The library's models as the service and its faces know them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.errors import ModelMissing
from app.values import ErrorBody, ImportReport, LocalModel, ModelRemoval
from app.words import error_body
from models_catalog.library.library import ModelLibrary
from models_catalog.library.removal import Removal
from models_catalog.library.values import ModelFile
from models_catalog.library.work import Work


class LocalShelf:
    """Blocking; for any number of threads. Models are named by their ids; an unknown one raises ModelMissing."""

    def __init__(self, library: ModelLibrary) -> None:
        self._library = library

    @property
    def folder(self) -> Path:
        """The models folder now."""
        return self._library.folder

    def models(self) -> tuple[LocalModel, ...]:
        """All models, by name; those that cannot be used have a problem."""
        return tuple(map(_local_model, self._library.models()))

    def add(self, path: Path) -> LocalModel:
        """Use a model file where it lies. Raises leaves of ModelFileRefused, DiskTooSmall, FolderUnwritable."""
        return _local_model(self._library.add(path))

    def add_folder(self, folder: Path) -> ImportReport:
        """Use all models in a folder where they lie. Raises DiskTooSmall, FolderUnwritable."""
        added, refused = self._library.add_folder(folder)
        return ImportReport(models=tuple(map(_local_model, added)), refused=tuple(map(error_body, refused)))

    def copy_in(self, path: Path, work: Work) -> str:
        """Copy a model into the models folder; returns its id. Raises as `ModelLibrary.copy_in` does."""
        return self._library.copy_in(path, work).id

    def removal(self, model_id: str) -> ModelRemoval:
        """What `remove` would do."""
        return _removal(self._library.removal(self._file(model_id)))

    def remove(self, model_id: str) -> ModelRemoval:
        """Delete a model in the models folder, take any other from the list. Raises FolderUnwritable."""
        return _removal(self._library.remove(self._file(model_id)))

    def verify(self, model_id: str, work: Work) -> str:
        """Read and judge a model's files; returns the verdict. Raises as `ModelLibrary.verify` does."""
        return self._library.verify(self._file(model_id), work)

    def compare(self, work: Work) -> None:
        """Compute the hashes that tell duplicates from files that are only as large. Raises LibraryWorkCancelled."""
        self._library.compare(work)

    def move(self, folder: Path, switch: Callable[[Path], None], work: Work) -> tuple[str, ...]:
        """Bring the models folder to another place. Raises as `ModelLibrary.move` does."""
        return self._library.move(folder, switch=switch, work=work)

    def finish_move(self) -> tuple[str, ...]:
        """End a move that was cut off after its switch."""
        return self._library.finish_move()

    def _file(self, model_id: str) -> ModelFile:
        models = self._library.models()
        for model in models:
            if model.id == model_id:
                return model
        raise ModelMissing(model=model_id, available=tuple(model.id for model in models))


def _local_model(file: ModelFile) -> LocalModel:
    return LocalModel(
        id=file.id,
        name=file.name,
        path=file.path,
        size_bytes=file.size_bytes,
        architecture=file.architecture,
        quantization=file.quantization,
        trained_context_tokens=file.trained_context_tokens,
        licence=file.licence,
        added_at=file.added_at,
        problem=ErrorBody(code=file.problem.code, fields=file.problem.fields) if file.problem else None,
        place=file.place,
        origin=file.origin,
        sha256=file.sha256,
        missing=file.missing,
        duplicates=file.duplicates,
        maybe_duplicates=file.maybe_duplicates,
    )


def _removal(removal: Removal) -> ModelRemoval:
    return ModelRemoval(paths=removal.paths, freed_bytes=removal.freed_bytes)
