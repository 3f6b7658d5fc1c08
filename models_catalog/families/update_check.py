"""Asking for a newer catalogue: everything is verified in memory before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx

from models_catalog.families.kept_update import KeptUpdate, KeptUpdateBroken, check_signature, read_kept, write_kept
from models_catalog.families.update_index import CatalogueIndex, read_catalogue_index
from models_catalog.signed.errors import (
    Reason,
    SigningKeyMissing,
    UpdateAddressMissing,
    UpdateRefused,
    UpdateUnreachable,
)
from models_catalog.signed.fetched_index import fetch_files, fetch_signed
from models_catalog.signed.keys import PublicKey
from models_catalog.signed.signed_index import IndexRefused
from models_catalog.transfer.http_range import open_client
from models_catalog.transfer.patience import Patience

# A whole catalogue is some hundred kilobytes.
WHOLE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """updated: a newer catalogue is in the folder now. serial, date: of the one that is published."""

    updated: bool
    serial: int
    date: str


async def check_for_update(
    address: str,
    folder: Path,
    *,
    keys: Sequence[PublicKey],
    built_in_date: str,
    seen_serial: int = 0,
    today: date | None = None,
    whole_seconds: float = WHOLE_SECONDS,
    patience: Patience | None = None,
    client: Callable[[Patience], httpx.AsyncClient] = open_client,
) -> Checked:
    """Puts the catalogue that is published at the address (of its index) into the folder, if it is newer.

    The user must have agreed before. built_in_date: of the catalogue in this build; an older one is not fetched.
    seen_serial: of the newest that was ever seen, so that an old one cannot be served as new.
    Raises SigningKeyMissing, UpdateAddressMissing, UpdateUnreachable, UpdateRefused and FolderUnwritable.
    """
    if not keys:
        raise SigningKeyMissing
    if not address:
        raise UpdateAddressMissing
    before = await asyncio.to_thread(_sound, folder, keys)
    seen_serial = max(seen_serial, before.index.serial if before else 0)
    try:
        async with asyncio.timeout(whole_seconds), client(patience or Patience()) as connection:
            document = await fetch_signed(connection, address, keys, today=today or date.today())
            index = _index(document.body, address)
            if index.serial < seen_serial:
                raise UpdateRefused(address, Reason.OLDER, f"{index.serial} < {seen_serial}")
            known = before is not None and before.index.serial == index.serial
            if known or index.date <= built_in_date:
                return Checked(updated=False, serial=index.serial, date=index.date)
            files = await fetch_files(connection, address, index.files, _at_hand(before))
    except TimeoutError as error:
        raise UpdateUnreachable(address, f"not done after {whole_seconds:.0f} s") from error
    await asyncio.to_thread(write_kept, folder, KeptUpdate(document=document, index=index, files=files))
    return Checked(updated=True, serial=index.serial, date=index.date)


def _index(body: bytes, address: str) -> CatalogueIndex:
    try:
        return read_catalogue_index(body)
    except IndexRefused as refused:
        raise UpdateRefused(address, refused.reason, refused.detail) from refused


def _sound(folder: Path, keys: Sequence[PublicKey]) -> KeptUpdate | None:
    """The kept copy; None where there is none, or none that its publisher signed: it is then fetched anew."""
    try:
        kept = read_kept(folder, keys)
        if kept is not None:
            check_signature(kept, keys)
    except KeptUpdateBroken:
        return None
    return kept


def _at_hand(kept: KeptUpdate | None) -> dict[str, bytes]:
    return {} if kept is None else {file.sha256: kept.files[file.name] for file in kept.index.files}
