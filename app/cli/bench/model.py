"""Which model file is measured."""

from __future__ import annotations

from pathlib import Path

from app import paths
from app.errors import ModelMissing, NoModelInstalled
from models_catalog.library.scan import list_models


def find_model(wanted: Path | None) -> Path:
    """The file that was named, else the smallest model of this user. Raises ModelMissing, NoModelInstalled."""
    if wanted is not None:
        if not wanted.is_file():
            raise ModelMissing(model=str(wanted), available=())
        return wanted.resolve()
    usable = [model for model in list_models([paths.models_folder()]) if model.problem is None]
    if not usable:
        raise NoModelInstalled()
    return Path(min(usable, key=lambda model: model.size_bytes).path)
