"""The signed index of versions: what its publisher writes, and what of it is believed.

{"format": "liangli-releases", "version": 1, "serial": 3, "date": "2026-11-24",
 "releases": [{"version": "0.2.0", "date": "2026-11-24", "notes": {"zh": "…", "en": "…"}}],
 "files": [{"name": "liangli_0.2.0_amd64.deb", "release": "0.2.0", "system": "linux-x86_64", "kind": "deb",
            "needs": "2.34", "size_bytes": 70000000, "sha256": "…", "url": "https://…/liangli_0.2.0_amd64.deb"}]}
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from app.updates.versions import MAX_CHARACTERS, is_version
from models_catalog.signed.bounded_fetch import secure_url
from models_catalog.signed.errors import Reason, UpdateRefused
from models_catalog.signed.signed_index import Index, IndexFile, IndexRefused, read_index

FORMAT = "liangli-releases"
VERSION = 1
# An installer with a model inside may be that large.
_MAX_FILE_BYTES = 8 * 1024**3
_MAX_WHOLE_BYTES = 200 * 1024**3
_Text = Annotated[str, msgspec.Meta(max_length=MAX_CHARACTERS)]
_Notes = Annotated[str, msgspec.Meta(max_length=8000)]


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What is new, in plain text."""

    zh: _Notes = ""
    en: _Notes = ""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was published."""

    version: _Text
    date: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    notes: Notes = Notes()


class ReleaseFile(IndexFile, frozen=True):
    """How a version is had on one system.

    system: "linux-x86_64", "windows-amd64", "macos-arm64". kind: "deb", "run", "tar", "setup", "msi", "dmg", or another
    that this version does not know. needs: the oldest system that runs it: of Linux the version of glibc, of Windows
    and macOS their own; empty: any.
    """

    release: _Text
    system: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{1,20}-[a-z0-9_]{1,20}$")]
    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,12}$")]
    url: Annotated[str, msgspec.Meta(max_length=1000)]
    needs: Annotated[str, msgspec.Meta(pattern=r"^(\d{1,6}(\.\d{1,6}){0,3})?$")] = ""


class ReleaseIndex(Index, frozen=True):
    """All versions that can be had."""

    releases: Annotated[tuple[Release, ...], msgspec.Meta(max_length=100)]
    files: Annotated[tuple[ReleaseFile, ...], msgspec.Meta(max_length=400)]


def read_release_index(body: bytes) -> ReleaseIndex:
    """Raises IndexRefused."""
    index = read_index(
        body,
        ReleaseIndex,
        format=FORMAT,
        version=VERSION,
        max_file_bytes=_MAX_FILE_BYTES,
        max_whole_bytes=_MAX_WHOLE_BYTES,
    )
    versions = [release.version for release in index.releases]
    if odd := next((one for one in versions if not is_version(one)), None):
        raise IndexRefused(Reason.BROKEN, f"the version {odd[:40]!r}")
    if len(set(versions)) < len(versions):
        raise IndexRefused(Reason.BROKEN, "a version twice")
    try:
        for release in index.releases:
            date.fromisoformat(release.date)
    except ValueError as error:
        raise IndexRefused(Reason.BROKEN, str(error)) from error
    for file in index.files:
        _check(file, versions)
    return index


def _check(file: ReleaseFile, versions: list[str]) -> None:
    if file.release not in versions:
        raise IndexRefused(Reason.BROKEN, f"{file.name} is of no version")
    if file.size_bytes == 0:
        raise IndexRefused(Reason.BROKEN, f"{file.name} is empty")
    try:
        secure_url(file.url, file.url)
    except UpdateRefused as refused:
        raise IndexRefused(Reason.INSECURE, f"{file.name}: {refused.detail}") from refused
