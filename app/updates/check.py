"""Asking which versions there are: one signed document, verified in memory. Only called when the user says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx

import app
from app.errors import (
    DataFolderUnusable,
    ProgramUpdateRefused,
    ProgramUpdatesNotSetUp,
    ProgramUpdateUnreachable,
)
from app.updates.last_look import LastLook, keep_last_look, read_last_look
from app.updates.release_index import Release, ReleaseFile, ReleaseIndex, read_release_index
from app.updates.this_system import preferred_kinds, runs_here, system, system_version
from app.updates.values import Found, OfferedFile
from app.updates.versions import is_unfinished, version_key
from models_catalog.signed.errors import Reason, UpdateRefused, UpdateUnreachable
from models_catalog.signed.fetched_index import fetch_signed
from models_catalog.signed.keys import PublicKey
from models_catalog.signed.signed_index import IndexRefused
from models_catalog.transfer.http_range import open_client
from models_catalog.transfer.patience import Patience

WHOLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisCopy:
    """What the answer is for: the copy of the program that asks, and the computer it is on."""

    version: str = app.VERSION
    system: str = field(default_factory=system)
    system_version: str = field(default_factory=system_version)
    kinds: tuple[str, ...] = field(default_factory=preferred_kinds)


def check(
    address: str,
    keys: Sequence[PublicKey],
    *,
    state_file: Path,
    copy: ThisCopy | None = None,
    today: date | None = None,
    whole_seconds: float = WHOLE_SECONDS,
    client: Callable[[Patience], httpx.AsyncClient] = open_client,
) -> Found:
    """The newest version. Blocks; call it from a thread without a running event loop.

    state_file: remembers the newest index ever seen; its folder must exist. Nothing else is written.
    Raises ProgramUpdatesNotSetUp, ProgramUpdateUnreachable, ProgramUpdateRefused and DataFolderUnusable.
    """
    if not address:
        raise ProgramUpdatesNotSetUp(missing="address")
    if not keys:
        raise ProgramUpdatesNotSetUp(missing="key")
    before = read_last_look(state_file)
    index = asyncio.run(_fetched(address, keys, today or date.today(), whole_seconds, client))
    if index.serial < before.serial:
        raise ProgramUpdateRefused(address, Reason.OLDER, f"{index.serial} < {before.serial}")
    found = newest(index, copy or ThisCopy())
    try:
        keep_last_look(state_file, LastLook(checked_at=time.time(), serial=index.serial, version=found.version))
    except OSError as error:
        raise DataFolderUnusable(path=str(state_file), reason=error.strerror or str(error)) from error
    return found


def newest(index: ReleaseIndex, copy: ThisCopy) -> Found:
    """What of the index concerns this copy: unfinished versions only those who run one. Pure.

    A newer version that has files for this computer goes before a still newer one that has none.
    """
    trying = is_unfinished(copy.version)
    offered = [one for one in index.releases if trying or not is_unfinished(one.version)]
    newer = [one for one in offered if version_key(one.version) > version_key(copy.version)]
    if not newer:
        return Found(own_version=copy.version, version=copy.version, newer=False)
    found = [_found(one, index, copy) for one in sorted(newer, key=lambda one: version_key(one.version), reverse=True)]
    return next((one for one in found if one.best), found[0])


def _found(release: Release, index: ReleaseIndex, copy: ThisCopy) -> Found:
    files = tuple(
        _offered(one, copy) for one in index.files if (one.release, one.system) == (release.version, copy.system)
    )
    here = [one for one in files if one.runs_here and one.kind in copy.kinds]
    best = min(here, key=lambda one: copy.kinds.index(one.kind), default=None)
    return Found(
        own_version=copy.version,
        version=release.version,
        newer=True,
        date=release.date,
        notes_zh=release.notes.zh,
        notes_en=release.notes.en,
        files=files,
        best=best.name if best else "",
    )


def _offered(file: ReleaseFile, copy: ThisCopy) -> OfferedFile:
    return OfferedFile(
        name=file.name,
        kind=file.kind,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        url=file.url,
        needs=file.needs,
        runs_here=runs_here(file.needs, copy.system_version),
    )


async def _fetched(
    address: str,
    keys: Sequence[PublicKey],
    today: date,
    whole_seconds: float,
    client: Callable[[Patience], httpx.AsyncClient],
) -> ReleaseIndex:
    try:
        async with asyncio.timeout(whole_seconds), client(Patience()) as connection:
            document = await fetch_signed(connection, address, keys, today=today)
        return read_release_index(document.body)
    except IndexRefused as refused:
        raise ProgramUpdateRefused(address, refused.reason, refused.detail) from refused
    except UpdateRefused as refused:
        raise ProgramUpdateRefused(address, refused.reason, refused.detail) from refused
    except UpdateUnreachable as error:
        raise ProgramUpdateUnreachable(address, error.detail) from error
    except TimeoutError as error:
        raise ProgramUpdateUnreachable(address, f"not done after {whole_seconds:.0f} s") from error
