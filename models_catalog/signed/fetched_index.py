"""Fetches a signed index, checks it in memory, and its files after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import httpx

from models_catalog.signed.bounded_fetch import fetch_bounded
from models_catalog.signed.errors import Reason, UpdateRefused
from models_catalog.signed.keys import PublicKey
from models_catalog.signed.signature import MAX_SIGNATURE_BYTES, SignatureRefused, verify
from models_catalog.signed.signed_index import (
    MAX_INDEX_BYTES,
    SIGNATURE_ENDING,
    IndexFile,
    SignedDocument,
    is_file,
)


async def fetch_signed(
    client: httpx.AsyncClient, address: str, keys: Sequence[PublicKey], *, today: date
) -> SignedDocument:
    """The document at the address, once its signature (at the same address with ".minisig") was found to hold.

    Raises UpdateUnreachable and UpdateRefused.
    """
    body = await fetch_bounded(client, address, max_bytes=MAX_INDEX_BYTES)
    if body is None:
        raise UpdateRefused(address, Reason.BROKEN, "nothing there")
    signature = await fetch_bounded(client, _beside(address, ""), max_bytes=MAX_SIGNATURE_BYTES)
    try:
        key = verify(body, signature or b"", keys, today=today)
    except SignatureRefused as refused:
        raise UpdateRefused(address, refused.reason, refused.detail) from refused
    return SignedDocument(body=body, signature=signature or b"", key=key.id)


async def fetch_files(
    client: httpx.AsyncClient, address: str, files: Sequence[IndexFile], have: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The files that lie beside the index at the address, by name, each with the hash that the index says.

    have: by sha256, what need not be fetched. Raises UpdateUnreachable and UpdateRefused.
    """
    found: dict[str, bytes] = {}
    for file in files:
        body = have.get(file.sha256)
        if body is None:
            body = await fetch_bounded(client, _beside(address, file.name), max_bytes=file.size_bytes)
        if body is None or not is_file(body, file):
            raise UpdateRefused(address, Reason.BROKEN, f"{file.name} is not what the index says")
        found[file.name] = body
    return found


def _beside(address: str, name: str) -> str:
    """The address of a file in the index's folder; of its signature for no name."""
    url = httpx.URL(address)
    path = url.path.rpartition("/")[0] + f"/{name}" if name else url.path + SIGNATURE_ENDING
    return str(url.copy_with(path=path))
