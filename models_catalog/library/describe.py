"""What a model file says of itself in its header, read once for each state of the file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from models_catalog.errors import CatalogError, NotChatModel
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.screening.kind import check_kind
from models_catalog.gguf.shards import other_shards
from models_catalog.library.files import stem
from models_catalog.library.recent import recent_header
from models_catalog.library.values import FileProblem, Found, ModelFile, PlaceKey
from models_catalog.starter import Starter, starters

# Files that go with a model, whatever they are called: they are not listed.
_COMPANIONS = frozenset({"projector", "draft", "imatrix"})


def describe(found: Found, place: PlaceKey, size_bytes: int, changed_ns: int) -> ModelFile | None:
    """The model as the listing shows it; None for a file that only goes with a model. Never raises."""
    named = found.name or stem(found.path)
    plain = ModelFile(
        id=model_id(named),
        name=named,
        path=str(found.path),
        size_bytes=size_bytes,
        added_at=changed_ns / 1e9,
        place=place,
        origin=found.origin,
    )
    try:
        header = recent_header(found.path)
        others = other_shards(header)
        # The first file of several may hold no weights at all.
        check_kind(header if header.tensors or not others else replace(header, tensors=others[0].tensors))
    except CatalogError as error:
        if isinstance(error, NotChatModel) and error.kind in _COMPANIONS:
            return None
        return replace(plain, problem=FileProblem(code=type(error).__name__, fields=dict(vars(error))))
    starter = starter_of(found, size_bytes)
    return replace(
        plain,
        name=found.name or (starter.name.en if starter is not None else _name(header, found.path)),
        architecture=header.architecture,
        quantization=header.quantization,
        trained_context_tokens=header.trained_context_tokens or 0,
        licence=starter.licence if starter is not None else header.licence or "",
    )


def model_id(name: str) -> str:
    """A readable id for a name: small letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "-", name.lower()).strip("-.") or "model"


def starter_of(found: Found, size_bytes: int) -> Starter | None:
    """The starter model that this file is, going by its size and its name or hash."""
    for starter in starters():
        if starter.size_bytes == size_bytes and (starter.file == found.path.name or starter.sha256 == found.sha256):
            return starter
    return None


def _name(header: GgufHeader, path: Path) -> str:
    return header.name.strip().removesuffix("GGUF").rstrip(" -_") or path.stem
