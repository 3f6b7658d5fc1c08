"""Pulling the missing ranges of a file from one address that serves all of it."""

from __future__ import annotations

import contextlib

import httpx

from models_catalog.sources.byte_source import WholeFile
from models_catalog.sources.faults import SourceCut
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.journal import Part
from models_catalog.transfer.patience import Patience
from models_catalog.transfer.reconnects import Reconnects


async def pull_whole_file(
    client: httpx.AsyncClient, source: WholeFile, part: Part, *, sha256: str, patience: Patience
) -> None:
    """Fills every gap of the part, in order; raises a SourceFault when this source cannot go on."""
    reconnects = Reconnects(patience)
    etag: str | None = None
    while gaps := part.missing():
        position, end = start, _ = gaps[0]
        request = RangeRequest(
            url=source.url,
            headers=source.headers,
            start=start,
            end=end,
            total_bytes=part.size_bytes,
            sha256=sha256,
            etag=etag,
        )
        try:
            async with open_range(client, request, patience) as answer:
                etag = answer.etag or etag
                async with contextlib.aclosing(answer.chunks()) as chunks:
                    async for chunk in chunks:
                        part.write(position, bytes(chunk), source.name)
                        position += len(chunk)
        except SourceCut as cut:
            reconnects.after(cut, position - start)
