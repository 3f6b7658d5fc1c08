"""Which model file is measured."""

from __future__ import annotations

from pathlib import Path

from app.errors import ModelMissing, NoModelInstalled
from app.local_models import kept_library
from models_catalog.library.values import OURS


def find_model(wanted: Path | None) -> Path:
    """The file that was named, else the smallest model of this user. Raises ModelMissing, NoModelInstalled."""
    if wanted is not None:
        if not wanted.is_file():
            raise ModelMissing(model=str(wanted), available=())
        return wanted.resolve()
    usable = [model for model in kept_library().models() if model.problem is None]
    if not usable:
        raise NoModelInstalled()
    ours = [model for model in usable if model.place in OURS]
    return Path(min(ours or usable, key=lambda model: model.size_bytes).path)
