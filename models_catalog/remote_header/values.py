"""What is asked for and what comes back when a header is read from afar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models_catalog.gguf.header import GgufHeader
from models_catalog.sources.byte_source import WholeFile


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of a model and the addresses that serve it, the preferred one first.

    name: as in its repository. size_bytes and sha256: as a hub lists them, None where nobody said.
    revision: what the hub calls the state of the repository that was listed, "" where nobody said. listed_at: when the
    listing was made, in seconds since the epoch, where it is a kept one because the hub cannot be asked now.
    """

    name: str
    sources: tuple[WholeFile, ...]
    size_bytes: int | None = None
    sha256: str | None = None
    revision: str = ""
    listed_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """One file of a model on this computer; the first of a model in several."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """A model as one can choose it: "Q4_K_M" of a repository, a file, a starter.

    origin: the repository or address it belongs to; quantizations of one origin are taken for siblings, whose headers
    differ little. files: of a split model in order, else one. size_bytes: of all files, None when nobody said.
    sha256: of a model in one file. listed_at: as in RemoteFile.
    """

    name: str
    origin: str
    files: tuple[RemoteFile, ...] | tuple[LocalFile]
    size_bytes: int | None
    sha256: str | None
    listed_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What the header of one quantization tells about its siblings'.

    header: of its plan data, with all tensors. hyperparameters_end: byte of the file where the last key ends that the
    architecture calls its own; tensors_offset: where its first tensor's name begins.
    """

    header: GgufHeader
    hyperparameters_end: int
    tensors_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteHeader:
    """The plan data of a remote model and what reading it took.

    size_bytes: of all files; etag: of the first file, "" if the source names none; fetched_bytes: of bodies, requests:
    how often bytes were asked for (a redirect counts with the request that met it).
    """

    plan_data: bytes
    pattern: Pattern
    size_bytes: int
    etag: str
    revision: str
    source: str
    fetched_bytes: int
    requests: int
