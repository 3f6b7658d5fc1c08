"""How fast a source is: a short range is read from it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

import httpx

from models_catalog.sources.byte_source import ByteSource, WholeFile, ZippedPieces
from models_catalog.sources.faults import SourceFailed
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.patience import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a source showed. resumable: it can begin in the middle of the file."""

    bytes_per_second: float
    resumable: bool


async def try_source(
    client: httpx.AsyncClient,
    source: ByteSource,
    *,
    wanted: tuple[int, int],
    size_bytes: int,
    sha256: str | None,
    patience: Patience,
) -> Trial:
    """Reads a short range at the first missing byte and measures it; raises a SourceFault."""
    request = _probe_request(source, wanted, size_bytes=size_bytes, sha256=sha256, probe_bytes=patience.probe_bytes)
    started, received, resumable = time.monotonic(), 0, False
    try:
        async with asyncio.timeout(patience.connect_seconds + patience.stall_seconds):
            async with open_range(client, request, patience) as answer:
                resumable = answer.resumable
                if request.start and not resumable:
                    return Trial(bytes_per_second=0.0, resumable=False)
                async with contextlib.aclosing(answer.chunks()) as chunks:
                    async for chunk in chunks:
                        received += len(chunk)
    except TimeoutError as error:
        if not received:
            raise SourceFailed("no byte came for too long", kind="silent") from error
    elapsed_seconds = max(1e-6, time.monotonic() - started)
    return Trial(bytes_per_second=received / elapsed_seconds, resumable=resumable)


def _probe_request(
    source: ByteSource, wanted: tuple[int, int], *, size_bytes: int, sha256: str | None, probe_bytes: int
) -> RangeRequest:
    start, end = wanted
    match source:
        case WholeFile():
            return RangeRequest(
                url=source.url,
                headers=source.headers,
                start=start,
                end=min(end, start + probe_bytes),
                total_bytes=size_bytes,
                sha256=sha256,
            )
        case ZippedPieces():
            piece = next(piece for piece in source.pieces if piece.start <= start < piece.end)
            return RangeRequest(url=piece.url, start=0, end=probe_bytes)
