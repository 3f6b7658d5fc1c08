"""Reading a whole small document over HTTP from a server that is not trusted: https only, nothing without an end."""

from __future__ import annotations

import ipaddress
import zlib

import httpx

from models_catalog.signed.errors import Reason, UpdateRefused, UpdateUnreachable
from models_catalog.sources.faults import SourceFault
from models_catalog.transfer.http_range import translated_errors

_MAX_REDIRECTS = 5
_GZIP = 16 + zlib.MAX_WBITS
# What packing adds to a document that cannot be packed.
_PACKING_BYTES = 1024


async def fetch_bounded(client: httpx.AsyncClient, address: str, *, max_bytes: int) -> bytes | None:
    """The document; None if the server says that there is none (404, 410).

    Never more than max_bytes are kept, neither as they come nor unpacked. The caller bounds the time. Only https is
    asked, also after redirects, and plain http on this very computer. Raises UpdateUnreachable and UpdateRefused.
    """
    url = secure_url(address, address)
    try:
        for _ in range(_MAX_REDIRECTS + 1):
            with translated_errors(began=False):
                async with client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as response:
                    if not response.has_redirect_location:
                        return await _body(response, address, max_bytes)
                    target = url.join(response.headers["Location"])
                    url = secure_url(str(target), address, after_https=url.scheme == "https")
    except SourceFault as fault:
        raise UpdateUnreachable(address, fault.detail) from fault
    raise UpdateUnreachable(address, "too many redirects")


async def _body(response: httpx.Response, address: str, max_bytes: int) -> bytes | None:
    if response.status_code in (404, 410):
        return None
    if response.status_code != 200:
        raise UpdateUnreachable(address, f"HTTP {response.status_code}")
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise UpdateRefused(address, Reason.BROKEN, "an encoding that was not asked for")
    unpacker = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    arrived, body = 0, bytearray()
    async for chunk in response.aiter_raw():
        arrived += len(chunk)
        if unpacker is None:
            body += chunk
        else:
            try:
                body += unpacker.decompress(chunk, max_bytes + 1 - len(body))
            except zlib.error as error:
                raise UpdateRefused(address, Reason.BROKEN, "not gzip") from error
        if len(body) > max_bytes or arrived > max_bytes + _PACKING_BYTES:
            raise UpdateRefused(address, Reason.TOO_LARGE, f"more than {max_bytes} bytes")
    if unpacker is not None and not unpacker.eof:
        raise UpdateRefused(address, Reason.BROKEN, "ends too early")
    return bytes(body)


def secure_url(text: str, address: str, *, after_https: bool = False) -> httpx.URL:
    """The address if it is https, or plain http on this very computer. address: what the refusal names.

    after_https: no way back to http from a redirect. Raises UpdateRefused.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UpdateRefused(address, Reason.INSECURE, "not an address") from error
    allowed = url.scheme == "https" or (url.scheme == "http" and not after_https and _is_here(url.host))
    if not allowed or not url.host:
        raise UpdateRefused(address, Reason.INSECURE, f"{url.scheme}://{url.host}"[:200])
    return url


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
