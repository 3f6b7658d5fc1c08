"""Random access to one file at one address, which must stay the same file from the first request to the last."""

from __future__ import annotations

import contextlib

import httpx

from models_catalog.sources.byte_source import WholeFile
from models_catalog.sources.faults import SourceChanged, SourceCut, SourceUnfit
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.patience import Patience
from models_catalog.transfer.reconnects import Reconnects

# A model file is larger than an error page and smaller than any disk.
_MAX_FILE_BYTES = 1 << 50


class DistantFile:
    """Reads ranges and counts what that took. For one task at a time."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        source: WholeFile,
        patience: Patience,
        *,
        size_bytes: int | None = None,
        sha256: str | None = None,
    ) -> None:
        """size_bytes, sha256: of the file that is expected, where they are known."""
        self.source = source
        self.size_bytes = size_bytes
        self.etag: str | None = None
        self.resumable = True
        self.fetched_bytes = 0
        self.requests = 0
        self._client = client
        self._patience = patience
        self._sha256 = sha256

    async def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`, or to the file's end if that comes first.

        A connection that breaks is opened again where it broke. Raises SourceFailed, SourceCut, SourceUnfit, and
        SourceChanged when this is not the file of the earlier requests.
        """
        reconnects = Reconnects(self._patience)
        pieces = bytearray()
        while start + len(pieces) < min(end, self.size_bytes or end):
            before = len(pieces)
            try:
                await self._read_once(start + before, end, pieces)
            except SourceCut as cut:
                reconnects.after(cut, len(pieces) - before)
        return bytes(pieces)

    async def _read_once(self, start: int, end: int, pieces: bytearray) -> None:
        """Appends to `pieces`; what came before a break stays."""
        first_answer = self.requests == 0
        self.requests += 1
        request = RangeRequest(
            url=self.source.url,
            headers=self.source.headers,
            start=start,
            end=end,
            sha256=self._sha256,
            etag=self.etag,
            max_bytes=_MAX_FILE_BYTES,
        )
        async with open_range(self._client, request, self._patience) as answer:
            if not answer.resumable:
                # The whole file comes, from its beginning on: what lies before `start` is read in vain.
                self.fetched_bytes += start
            self.resumable = answer.resumable
            self._remember(answer.total_bytes, answer.etag, first_answer=first_answer)
            async with contextlib.aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    self.fetched_bytes += len(chunk)
                    pieces += chunk

    def _remember(self, total_bytes: int | None, etag: str | None, *, first_answer: bool) -> None:
        if total_bytes is None:
            total_bytes = self.size_bytes
        if total_bytes is None:
            raise SourceUnfit("does not say how large the file is", kind="no_size")
        if self.size_bytes is not None and total_bytes != self.size_bytes:
            if first_answer:
                raise SourceUnfit(f"has a file of {total_bytes} bytes, not {self.size_bytes}", kind="other_file")
            raise SourceChanged("the file has another size than a moment ago", kind="changed")
        self.size_bytes = total_bytes
        self.etag = self.etag or etag
