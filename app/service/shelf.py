"""The model files of this user: the models folder, and files elsewhere whose paths were added."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from app.atomic_file import write_atomically
from app.errors import DataFolderUnusable
from app.values import ErrorBody, LocalModel
from models_catalog.gguf.header import read_header
from models_catalog.gguf.screen import screen
from models_catalog.library.files import stamp
from models_catalog.library.scan import list_models
from models_catalog.library.values import ModelFile


class LocalShelf:
    """Blocking; safe to call from several threads. list_file: keeps the added paths; cache_file: keeps headers."""

    def __init__(self, *, models_folder: Path, list_file: Path, cache_file: Path) -> None:
        self._models_folder = models_folder
        self._list_file = list_file
        self._cache_file = cache_file
        self._one_at_a_time = threading.Lock()
        self._screened: dict[Path, tuple[int, int]] = {}

    def models(self) -> tuple[LocalModel, ...]:
        """All model files, by name; those that cannot be used have a problem."""
        with self._one_at_a_time:
            files = list_models([self._models_folder, *self._added()], cache_file=self._cache_file)
        return tuple(_local_model(file) for file in files)

    def add(self, path: Path) -> LocalModel:
        """Use a model file where it lies. Raises leaves of ModelFileRefused, DataFolderUnusable."""
        path = path.resolve()
        self._screen(path)
        with self._one_at_a_time:
            added = self._added()
            if path not in added and not path.is_relative_to(self._models_folder.resolve()):
                self._keep([*added, path])
        return next(model for model in self.models() if Path(model.path).resolve() == path)

    def _screen(self, path: Path) -> None:
        """Screen a file, once while it stays as it is; it is screened again whenever it is loaded."""
        found = stamp(path)
        if self._screened.get(path) != found:
            screen(read_header(path))
            self._screened[path] = found

    def _added(self) -> list[Path]:
        try:
            return [Path(path) for path in msgspec.json.decode(self._list_file.read_bytes(), type=list[str])]
        except (OSError, msgspec.MsgspecError):
            return []

    def _keep(self, added: list[Path]) -> None:
        try:
            write_atomically(self._list_file, msgspec.json.encode([str(path) for path in added]))
        except OSError as error:
            raise DataFolderUnusable(path=str(self._list_file), reason=error.strerror or str(error)) from error


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
    )
