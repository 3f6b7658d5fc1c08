"""Telling whoever keeps it what a hub's listing showed of a repository."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from models_catalog.remote_header.hub_files import Hub
from models_catalog.remote_header.values import RemoteFile
from models_catalog.sources.faults import SourceFault, SourceUnfit

_MISSING_STATUS = 404


class OnListed(Protocol):
    """hub: one of `Hub`. there: the hub listed GGUF files; False: it said that there is no such repository."""

    def __call__(self, hub: str, repository: str, *, there: bool) -> None: ...


async def tell_listed(
    on_listed: OnListed | None,
    hub: Hub,
    repository: str,
    revision: str | None,
    answer: Sequence[RemoteFile] | SourceFault,
) -> None:
    """Nothing is told of hubs that did not answer, want a login, or have the repository without GGUF files; nor of what
    a mirror misses, and where only a revision may be missing."""
    missing = (
        isinstance(answer, SourceUnfit)
        and answer.status == _MISSING_STATUS
        and revision is None
        and hub is not Hub.HF_MIRROR
    )
    there = not isinstance(answer, SourceFault) and bool(answer)
    if on_listed is not None and (missing or there):
        await asyncio.to_thread(on_listed, hub.value, repository, there=there)
