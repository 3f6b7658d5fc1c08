"""Asks other computers of the local network for files by hash, and makes those that have one a source of it."""

from __future__ import annotations

import asyncio
import hmac
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace

import httpx
import msgspec

from models_catalog.download.values import FileToFetch, ModelToFetch
from models_catalog.lan import codes
from models_catalog.lan.errors import PeerCodeWrong, PeerRefused, PeerUnreachable
from models_catalog.lan.places import peer_place
from models_catalog.sources.byte_source import WholeFile

_LIMIT_SECONDS = 2.0
_MAX_ANSWER_BYTES = 4096
_NOBODY = "0" * 64


class _Have(msgspec.Struct, frozen=True):
    size: int
    ticket: str


def with_peers(model: ModelToFetch, peers: Mapping[str, str], *, loopback: bool = False) -> ModelToFetch:
    """The model with each computer that has a file of it as one more source, named by its address.

    peers: codes by address. Blocks, two seconds at most; not for a thread with a running event loop. Never raises:
    what does not answer is no source. The bytes are believed for their hash alone, like any other source's.
    """
    if not peers or not any(file.sha256 for file in model.files):
        return model
    return asyncio.run(_with_peers(model, peers, loopback))


async def check_peer(address: str, code: str, *, loopback: bool = False) -> str:
    """The address in full, of a computer that shares and accepts the code. Raises leaves of PeerRefused."""
    host, port = peer_place(address, loopback=loopback)
    full = f"{host}:{port}"
    async with _client() as client:
        await _ask(client, full, code, _NOBODY)
    return full


async def _with_peers(model: ModelToFetch, peers: Mapping[str, str], loopback: bool) -> ModelToFetch:
    async with _client() as client:

        async def extended(file: FileToFetch) -> FileToFetch:
            found = await asyncio.gather(*(_source(client, file, *peer, loopback) for peer in peers.items()))
            return replace(file, sources=(*file.sources, *filter(None, found)))

        return replace(model, files=tuple(await asyncio.gather(*map(extended, model.files))))


async def _source(
    client: httpx.AsyncClient, file: FileToFetch, address: str, code: str, loopback: bool
) -> WholeFile | None:
    if file.sha256 is None:
        return None
    try:
        host, port = peer_place(address, loopback=loopback)
        have = await _ask(client, f"{host}:{port}", code, file.sha256)
    except PeerRefused:
        return None
    if have is None or have.size != file.size_bytes:
        return None
    url = f"http://{host}:{port}/1/file/{file.sha256}"
    return WholeFile(name=f"{host}:{port}", url=url, headers=(("Liangli-Ticket", have.ticket),))


async def _ask(client: httpx.AsyncClient, place: str, code: str, sha256: str) -> _Have | None:
    key = codes.key_of(code)
    if key is None:
        raise PeerCodeWrong(place)
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            status, body, other_time = await _once(client, place, key, sha256, int(time.time()))
            if status == 401 and other_time.isascii() and other_time.isdecimal():
                status, body, _ = await _once(client, place, key, sha256, int(other_time[:12]))
    except (httpx.HTTPError, TimeoutError) as error:
        raise PeerUnreachable(place) from error
    if status in (401, 403):
        raise PeerCodeWrong(place)
    if status == 404:
        return None
    try:
        have = msgspec.json.decode(body, type=_Have)
    except msgspec.DecodeError as error:
        raise PeerUnreachable(place) from error
    # It will stand in a header.
    return have if status == 200 and have.ticket.isascii() and have.ticket.isprintable() else None


async def _once(client: httpx.AsyncClient, place: str, key: bytes, sha256: str, now: int) -> tuple[int, bytes, str]:
    nonce = codes.new_nonce()
    headers = {
        "Liangli-Time": str(now),
        "Liangli-Nonce": nonce,
        "Liangli-Signature": codes.sign(key, sha256, now=now, nonce=nonce),
    }
    body = bytearray()
    async with client.stream("GET", f"http://{place}/1/have/{sha256}", headers=headers) as response:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _MAX_ANSWER_BYTES:
                raise httpx.DecodingError("too long")
        status: int = response.status_code
        right = codes.proof(key, sha256, nonce=nonce)
        # Whoever does not know the code either refuses, or is somebody else: a router, a café's login page.
        if status != 403 and not hmac.compare_digest(
            response.headers.get("Liangli-Proof", "").encode(), right.encode()
        ):
            raise httpx.DecodingError("somebody else answers")
        return status, bytes(body), response.headers.get("Liangli-Time", "")


def _client() -> httpx.AsyncClient:
    """No proxy stands between computers of one network, and no redirect leads out of it."""
    # Plain HTTP: a list of certificate authorities would be read (45 ms) and never used.
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(verify=plain, trust_env=False, follow_redirects=False, timeout=_LIMIT_SECONDS)
