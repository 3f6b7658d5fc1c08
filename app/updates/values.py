"""What a look for a newer version finds and what a download says: also the lines that the window's child writes."""

from __future__ import annotations

from typing import Any

import msgspec


class OfferedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file for this kind of system. runs_here: this system is not older than `needs`."""

    name: str
    kind: str
    size_bytes: int
    sha256: str
    url: str
    needs: str
    runs_here: bool


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """The newest version that is published. newer: than the one that runs; only then there are files.

    best: the name of the file that fits this copy, "" if none does. notes: plain text from outside.
    """

    own_version: str
    version: str
    newer: bool
    date: str = ""
    notes_zh: str = ""
    notes_en: str = ""
    files: tuple[OfferedFile, ...] = ()
    best: str = ""

    def file(self, name: str) -> OfferedFile | None:
        """The file of this name, if it runs here."""
        return next((one for one in self.files if one.name == name and one.runs_here), None)


class Fetching(msgspec.Struct, frozen=True, kw_only=True, tag="fetching"):
    """How far the download is."""

    received_bytes: int
    total_bytes: int
    bytes_per_second: float = 0.0


class Fetched(msgspec.Struct, frozen=True, kw_only=True, tag="fetched"):
    """The file is there, and it is the one of the index."""

    path: str
    kind: str
    sha256: str
    version: str


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """An error's class name and fields, as in ErrorBody."""

    code: str
    fields: dict[str, Any]


Line = Found | Fetching | Fetched | Failed
