"""What the library says about models, and the places in which it looks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

# Where a model was found: in the models folder, in a file the user added, or with another program.
PlaceKey = Literal["library", "added", "ollama", "lm-studio", "jan", "huggingface", "modelscope"]
OURS: tuple[PlaceKey, ...] = ("library", "added")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """Why a file cannot be used: the class name of a CatalogError and its fields, as errors cross every wire."""

    code: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model on this computer. id: readable, and the same as long as the file keeps its name.

    path: what is loaded, the first file of a model in several. size_bytes: all files together. added_at: seconds since
    the epoch. A file with a problem is listed all the same; what its header would have told is then "" or 0.

    origin: the repository or the name under which the other program knows it, "" if unknown. sha256: of each of its
    files, in order; () while one of them is not known. missing: it was here, and its disk or folder is not there now.
    duplicates: ids of models with the very same bytes; maybe_duplicates: as large, and not compared yet.
    """

    id: str
    name: str
    path: str
    size_bytes: int
    added_at: float
    architecture: str = ""
    quantization: str = ""
    trained_context_tokens: int = 0
    licence: str = ""
    problem: FileProblem | None = None
    place: PlaceKey = "library"
    origin: str = ""
    sha256: tuple[str, ...] = ()
    missing: bool = False
    duplicates: tuple[str, ...] = ()
    maybe_duplicates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that may be a model. name: readable, for files whose own name says nothing; sha256: what it should be."""

    path: Path
    name: str = ""
    origin: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where models are looked for. find: lists what lies below the root, never raises for it.

    lasting: models that were seen here stay listed, as missing, while the root is not there (a disk was unplugged).
    """

    key: PlaceKey
    root: Path
    find: Callable[[Path], Iterable[Found]]
    lasting: bool = True
