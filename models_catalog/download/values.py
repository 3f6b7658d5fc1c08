"""What is downloaded and how far it is: the values that go in and come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models_catalog.sources.byte_source import FileSource


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToFetch:
    """One file. place: its path below the models folder, each part already safe (`names.safe_parts`).

    size_bytes and sha256: as listed, None where nobody said; then there is one source only. All sources serve these
    very bytes: their listings agree in size and sha256.
    """

    place: tuple[str, ...]
    sources: tuple[FileSource, ...]
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelToFetch:
    """All files of a model, which are there together or not at all: its parts, its projector. name: for people."""

    name: str
    files: tuple[FileToFetch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """How far a model is. state: what is being done now.

    total_bytes: 0 while a size is not known, which is until the end where a server does not tell it. remaining_seconds:
    None while it cannot be told. connections: how many bring bytes. source: where from, "" while none is chosen.
    """

    state: Literal["choosing_source", "transferring", "waiting", "verifying", "repairing"]
    received_bytes: int
    total_bytes: int
    bytes_per_second: float = 0.0
    remaining_seconds: float | None = None
    source: str = ""
    connections: int = 0
    checked_bytes: int = 0
