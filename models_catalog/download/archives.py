"""A file whose pieces lie in zip archives: each is fetched like a file of its own, unpacked into its place and removed.

An archive in progress lies below the file's part, as a part of its own, so that nothing that arrived is lost. Its hash
is checked before it is opened. Names inside archives are compared with a pattern and never used as paths.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from models_catalog.download.crew import Crew, Order
from models_catalog.download.extents import covered_bytes
from models_catalog.download.keeper import Keeper
from models_catalog.download.part_file import PartFile
from models_catalog.download.parts import Lease, Parts
from models_catalog.download.supply import Supply
from models_catalog.download.threads import in_thread
from models_catalog.sources.byte_source import WholeFile, ZippedPiece, ZippedPieces
from models_catalog.sources.faults import SourceUnfit
from models_catalog.transfer.http_range import RangeRequest, open_range

# Two at once: while one is checked and unpacked the other keeps the line busy.
ARCHIVES_AT_ONCE = 2
_BLOCK_BYTES = 1024 * 1024


@dataclass(kw_only=True, eq=False)
class _Archive:
    """One that is here, wholly or not."""

    part: PartFile
    supply: Supply
    crew: Crew | None = None
    bytes_per_second: float = 0.0


class ArchiveCrew:
    """Use once, as a Crew: `run` returns when nothing is left to lend, and raises a SourceFault when the source cannot
    go on. part: the file's, below which archives are kept; what they hold goes into the order's sink.
    """

    def __init__(self, order: Order, supply: Supply, source: ZippedPieces, part: PartFile) -> None:
        self._order, self._supply, self._source, self._part = order, supply, source, part
        self._archives: dict[ZippedPiece, _Archive] = {}

    @property
    def connections(self) -> int:
        """How many there are now."""
        return sum(one.crew.connections for one in self._archives.values() if one.crew is not None)

    @property
    def packed_bytes(self) -> int:
        """How many bytes of the file have arrived and are only packed yet."""
        packed = 0
        for piece, one in self._archives.items():
            share = one.part.received_bytes / one.part.size_bytes
            unpacked = covered_bytes(self._part.extents, piece.start, piece.end)
            packed += max(0, int((piece.end - piece.start) * share) - unpacked)
        return packed

    async def run(self) -> None:
        """See above. What arrived is kept whatever happens."""
        waiting = deque(self._source.pieces)

        async def work() -> None:
            while waiting:
                piece = waiting.popleft()
                leases = self._order.parts.lease_within(piece.start, piece.end)
                try:
                    if leases:
                        await self._bring(piece, leases)
                finally:
                    for lease in leases:
                        self._order.parts.release(lease)

        workers = [asyncio.ensure_future(work()) for _ in range(ARCHIVES_AT_ONCE)]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for worker in done:
                worker.result()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _bring(self, piece: ZippedPiece, leases: tuple[Lease, ...]) -> None:
        """The piece is in its place."""
        archive = await self._whole_archive(piece)
        try:
            await self._unpack(archive, piece, leases)
            # The archive goes only when a power cut can take nothing of its piece any more.
            await asyncio.to_thread(self._part.sync)
            del self._archives[piece]
            archive.abandon()
        except SourceUnfit:
            archive.abandon()
            raise
        finally:
            archive.close()

    # ---- fetching one

    async def _whole_archive(self, piece: ZippedPiece) -> PartFile:
        """Open, whole and right. What an earlier run left of it is used if it proves right."""
        while True:
            one = self._archives[piece] = await self._opened(piece)
            left_over = one.part.received_bytes > 0
            keeper = Keeper(one.part, self._order.patience)
            try:
                if await keeper.beside(self._fetch(piece, one, keeper)):
                    return one.part
            except BaseException:
                one.part.close()
                raise
            one.part.abandon()
            if not left_over:
                raise SourceUnfit(f"{piece.archive} is not what the index says")

    async def _opened(self, piece: ZippedPiece) -> _Archive:
        patience, client = self._order.patience, self._order.client(self._supply)
        piece_bytes = piece.end - piece.start
        # Deflated data is never much larger than what it holds.
        most_bytes = piece_bytes + piece_bytes // 100 + 1024 * 1024
        async with open_range(
            client, RangeRequest(url=piece.url, start=0, end=1, max_bytes=most_bytes), patience
        ) as answer:
            size_bytes, etag, resumable = answer.total_bytes, answer.etag, answer.resumable
        if not size_bytes:
            raise SourceUnfit(f"does not say how large {piece.archive} is")
        supply = Supply(
            source=WholeFile(name=self._supply.name, url=piece.url),
            connections=max(1, self._supply.connections // ARCHIVES_AT_ONCE),
            etag=etag,
            whole_only=not resumable,
        )
        target, sha256 = self._part.folder / f"piece-{piece.start}", piece.archive_sha256 or ""
        part = await asyncio.to_thread(PartFile, target, size_bytes=size_bytes, sha256=sha256, etag=etag or "")
        return _Archive(part=part, supply=supply)

    async def _fetch(self, piece: ZippedPiece, one: _Archive, keeper: Keeper) -> bool:
        """Every byte of the archive is there; whether it is what the index says."""

        async def faster(current: Supply, bytes_per_second: float) -> str | None:
            one.bytes_per_second = bytes_per_second
            together = sum(other.bytes_per_second for other in self._archives.values())
            return await self._order.faster(self._supply, together)

        parts = Parts(one.part.missing(), least_bytes=self._order.patience.least_part_bytes)
        order = replace(
            self._order, parts=parts, sink=keeper, size_bytes=one.part.size_bytes, sha256=None, faster=faster
        )
        before_bytes = one.part.received_bytes
        try:
            while parts.missing_bytes:
                one.crew = Crew(order, one.supply)
                await one.crew.run()
        finally:
            one.crew, one.bytes_per_second = None, 0.0
            self._supply.answered |= one.supply.answered
            if one.part.received_bytes > before_bytes:
                self._supply.delivered()
        return piece.archive_sha256 is None or await keeper.sha256(lambda _: None) == piece.archive_sha256

    # ---- unpacking one

    async def _unpack(self, archive: PartFile, piece: ZippedPiece, leases: tuple[Lease, ...]) -> None:
        """Inflates what is missing of the piece; raises SourceUnfit if the archive does not hold exactly that piece."""
        position = piece.start
        with archive.disk_errors(), _zip_faults(piece), contextlib.ExitStack() as stack:
            opened = stack.enter_context(await in_thread(lambda _: zipfile.ZipFile(archive.path)))
            member = stack.enter_context(opened.open(_only_member(opened, piece)))
            while block := await in_thread(lambda _: member.read(_BLOCK_BYTES)):
                if position + len(block) > piece.end:
                    raise SourceUnfit(f"{piece.archive} holds more than its piece")
                await self._put(position, block, piece, leases)
                position += len(block)
        if position != piece.end:
            raise SourceUnfit(f"{piece.archive} holds less than its piece")

    async def _put(self, start: int, block: bytes, piece: ZippedPiece, leases: tuple[Lease, ...]) -> None:
        view = memoryview(block)
        for lease in leases:
            begin, end = lease.position, min(lease.end, start + len(block))
            if begin < end:
                self._order.sink.put(piece.start, begin, view[begin - start : end - start], self._supply.name)
                self._order.parts.advance(lease, end - begin)
        await self._order.sink.settle(piece.start)


@contextlib.contextmanager
def _zip_faults(piece: ZippedPiece) -> Iterator[None]:
    """Turns what zipfile raises for damaged, encrypted and exotic archives into a fault of the source."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise SourceUnfit(f"{piece.archive} cannot be unpacked ({error})") from error


def _only_member(opened: zipfile.ZipFile, piece: ZippedPiece) -> zipfile.ZipInfo:
    members = [info for info in opened.infolist() if fnmatch.fnmatchcase(info.filename, piece.member_pattern)]
    if len(members) != 1 or members[0].file_size != piece.end - piece.start:
        raise SourceUnfit(f"{piece.archive} does not hold its piece")
    return members[0]
