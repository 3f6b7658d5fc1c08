"""Listings of repositories on disk: what a hub said last stands in for it while it cannot be asked."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import msgspec

from models_catalog.cache_folder import CacheFolder
from models_catalog.remote_header.hub_files import Hub, HubListing, ask_hub, base_of, main_branch, remote_files
from models_catalog.remote_header.values import RemoteFile
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.faults import SourceUnfit
from models_catalog.transfer.patience import Patience

_FORMAT = 1
_MAX_BYTES = 16 * 1024 * 1024
_MAX_ENTRY_BYTES = 4 * 1024 * 1024
# What these say of a repository is news, not trouble.
_GONE = frozenset({401, 403, 404, 410})


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    format: int
    listed_at: float
    listing: HubListing


class KeptListings:
    """For the thread of one event loop. No key of the user is kept, and no address."""

    def __init__(self, folder: Path | None) -> None:
        """The folder need not exist. None: nothing is kept."""
        self._entries: CacheFolder | None = None
        if folder is not None:
            self._entries = CacheFolder(
                folder, suffix=".listing", max_bytes=_MAX_BYTES, max_entry_bytes=_MAX_ENTRY_BYTES
            )

    async def ask(
        self,
        client: httpx.AsyncClient,
        hub: Hub,
        repository: str,
        *,
        addresses: Addresses,
        patience: Patience,
        revision: str | None = None,
    ) -> tuple[RemoteFile, ...]:
        """As hub_files.list_files, and kept. What a hub no longer has, or no longer shows to us, is forgotten."""
        key = _key(hub, repository, addresses, revision)
        try:
            listing = await ask_hub(client, hub, repository, addresses=addresses, patience=patience, revision=revision)
        except SourceUnfit as fault:
            if self._entries is not None and fault.status in _GONE:
                await asyncio.to_thread(self._entries.forget, key)
            raise
        if self._entries is not None:
            entry = msgspec.msgpack.encode(_Entry(_FORMAT, time.time(), listing))
            await asyncio.to_thread(self._entries.store, key, entry)
        return remote_files(listing, hub, repository, addresses)

    async def recall(
        self, hub: Hub, repository: str, *, addresses: Addresses, revision: str | None = None
    ) -> tuple[RemoteFile, ...] | None:
        """What the hub said last, each file with its `listed_at`; None where nothing sound is kept."""
        if self._entries is None:
            return None
        content = await asyncio.to_thread(self._entries.find, _key(hub, repository, addresses, revision))
        if content is None:
            return None
        try:
            entry = msgspec.msgpack.decode(content, type=_Entry)
        except msgspec.DecodeError:
            return None
        if entry.format != _FORMAT:
            return None
        # A clock that was set back must not make a listing come from the future.
        return remote_files(entry.listing, hub, repository, addresses, listed_at=min(entry.listed_at, time.time()))


def _key(hub: Hub, repository: str, addresses: Addresses, revision: str | None) -> str:
    return f"{hub.value} {base_of(hub, addresses)} {repository} {main_branch(hub, revision)}"
