"""An index of files as its publisher writes it, and what of it is believed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Annotated, TypeVar

import msgspec

from models_catalog.signed.errors import Reason
from models_catalog.signed.file_names import is_plain_name

MAX_INDEX_BYTES = 256 * 1024
MAX_FILE_BYTES = 1024 * 1024
MAX_FILES = 400
MAX_WHOLE_BYTES = 16 * 1024 * 1024
SIGNATURE_ENDING = ".minisig"


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that this version does not know are left alone, so that later ones may add some."""


class IndexFile(_Struct, frozen=True):
    """A file beside the index."""

    name: Annotated[str, msgspec.Meta(max_length=80)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Head(_Struct, frozen=True):
    """What every index begins with. format: what it is an index of. version: of that format. serial: grows with each
    that is published. date: "2026-11-24"."""

    format: Annotated[str, msgspec.Meta(max_length=80)]
    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    serial: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    date: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Index(Head, frozen=True):
    """An index with its files; formats add fields of their own."""

    files: Annotated[tuple[IndexFile, ...], msgspec.Meta(max_length=MAX_FILES)]


AnyIndex = TypeVar("AnyIndex", bound=Index)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """The very bytes, and who vouches for them. key: its id."""

    body: bytes
    signature: bytes
    key: str


class IndexRefused(Exception):
    """reason: NEWER or BROKEN. detail: technical English."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def read_index(
    body: bytes,
    kind: type[AnyIndex],
    *,
    format: str,
    version: int,
    max_file_bytes: int = MAX_FILE_BYTES,
    max_whole_bytes: int = MAX_WHOLE_BYTES,
) -> AnyIndex:
    """The index in the bytes. Raises IndexRefused for any that is not of this format, or cannot be.

    max_file_bytes, max_whole_bytes: what one file may be, and all together. The defaults are for files that are read
    into memory (`fetch_files`); an index of things that are downloaded otherwise has its own.
    """
    try:
        head = msgspec.json.decode(body, type=Head)
        if head.format != format:
            raise IndexRefused(Reason.BROKEN, f"another format: {head.format}")
        if head.version > version:
            raise IndexRefused(Reason.NEWER, f"version {head.version}")
        index = msgspec.json.decode(body, type=kind)
        date.fromisoformat(index.date)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise IndexRefused(Reason.BROKEN, str(error)[:200]) from error
    names = [file.name for file in index.files]
    if odd := next((name for name in names if not is_plain_name(name)), None):
        raise IndexRefused(Reason.BROKEN, f"the name {odd[:80]!r}")
    if len(set(names)) < len(names):
        raise IndexRefused(Reason.BROKEN, "two files of one name")
    sizes = [file.size_bytes for file in index.files]
    if max(sizes, default=0) > max_file_bytes or sum(sizes) > max_whole_bytes:
        raise IndexRefused(Reason.BROKEN, "larger than an update may be")
    return index


def is_file(body: bytes, file: IndexFile) -> bool:
    """Whether these are the bytes that the index means."""
    return len(body) == file.size_bytes and hashlib.sha256(body).hexdigest() == file.sha256
