"""Pulling a file whose pieces lie in zip archives: each is fetched, checked, unpacked into its place and removed.

An archive in progress is kept on disk and goes on where it broke off, so nothing that arrived is lost; its own hash is
checked before it is opened. Names inside archives are compared with a pattern and never used as paths.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import threading
import zipfile
import zlib
from collections import deque
from pathlib import Path

import httpx

from models_catalog.sources.byte_source import ZippedPiece, ZippedPieces
from models_catalog.sources.faults import SourceCut, SourceUnfit
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.journal import Part
from models_catalog.transfer.patience import Patience
from models_catalog.transfer.progress import ProgressBoard
from models_catalog.transfer.reconnects import Reconnects
from models_catalog.transfer.threads import WorkStopped, in_thread, sha256_of

# Two at once: while one is checked and unpacked the other keeps the line busy.
_AT_ONCE = 2
_BLOCK_BYTES = 1024 * 1024


async def pull_zipped_pieces(
    client: httpx.AsyncClient, source: ZippedPieces, part: Part, board: ProgressBoard, *, patience: Patience
) -> None:
    """Fills every gap of the part; raises a SourceFault when this source cannot go on."""
    waiting = deque(piece for piece in source.pieces if part.missing(piece.start, piece.end))

    async def work() -> None:
        while waiting:
            await _pull_piece(client, source.name, waiting.popleft(), part, board, patience)

    workers = [asyncio.ensure_future(work()) for _ in range(_AT_ONCE)]
    try:
        done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        for worker in done:
            worker.result()
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        for piece in source.pieces:
            board.unpacked(piece.start, piece.end)


async def _pull_piece(
    client: httpx.AsyncClient,
    source_name: str,
    piece: ZippedPiece,
    part: Part,
    board: ProgressBoard,
    patience: Patience,
) -> None:
    archive = part.folder / f"{piece.archive}-{(piece.archive_sha256 or 'unknown')[:16]}.archive"
    await _have_archive(client, piece, archive, part, board, patience)

    def unpack(stop: threading.Event) -> None:
        with part.disk_errors():
            _unpack(archive, piece, part, source_name, stop)
        # Forcing a whole piece to the disk takes a while: not on the event loop.
        part.checkpoint()

    await in_thread(unpack)
    archive.unlink(missing_ok=True)
    board.unpacked(piece.start, piece.end)


async def _have_archive(
    client: httpx.AsyncClient, piece: ZippedPiece, archive: Path, part: Part, board: ProgressBoard, patience: Patience
) -> None:
    """The whole archive, its hash checked, lies on disk. What is left of an earlier run is used if it proves right."""
    if piece.archive_sha256 is None:
        archive.unlink(missing_ok=True)
    if archive.exists():
        with contextlib.suppress(SourceUnfit):
            if not await _archive_is_right(archive, piece):
                await _download(client, piece, archive, part, board, patience)
            if await _archive_is_right(archive, piece):
                return
        archive.unlink(missing_ok=True)
    await _download(client, piece, archive, part, board, patience)
    if not await _archive_is_right(archive, piece):
        archive.unlink(missing_ok=True)
        raise SourceUnfit(f"{piece.archive} is not what the index says")


async def _archive_is_right(archive: Path, piece: ZippedPiece) -> bool:
    if piece.archive_sha256 is None:
        return True
    return await in_thread(lambda stop: sha256_of(archive, stop)) == piece.archive_sha256


async def _download(
    client: httpx.AsyncClient, piece: ZippedPiece, archive: Path, part: Part, board: ProgressBoard, patience: Patience
) -> None:
    """Appends to the archive until it is whole."""
    reconnects = Reconnects(patience)
    piece_bytes = piece.end - piece.start
    with part.disk_errors():
        file = archive.open("ab", buffering=0)
    with file:
        while True:
            start = position = file.tell()
            # Deflated data is never much larger than what it holds.
            request = RangeRequest(url=piece.url, start=start, max_bytes=piece_bytes + piece_bytes // 100 + 1024 * 1024)
            try:
                async with open_range(client, request, patience) as answer:
                    async with contextlib.aclosing(answer.chunks()) as chunks:
                        async for chunk in chunks:
                            with part.disk_errors():
                                file.write(chunk)
                            position += len(chunk)
                            share = position / answer.total_bytes if answer.total_bytes else 0.0
                            board.packed(piece.start, piece.end, share)
                return
            except SourceCut as cut:
                reconnects.after(cut, position - start)


def _unpack(archive: Path, piece: ZippedPiece, part: Part, source_name: str, stop: threading.Event) -> None:
    """Inflates the piece into its place; raises SourceUnfit if the archive does not hold exactly that piece."""
    position = piece.start
    try:
        with zipfile.ZipFile(archive) as opened:
            with opened.open(_only_member(opened, piece)) as member:
                while block := member.read(_BLOCK_BYTES):
                    if stop.is_set():
                        raise WorkStopped
                    if position + len(block) > piece.end:
                        raise SourceUnfit(f"{piece.archive} holds more than its piece")
                    part.write(position, block, source_name, reproducible=True)
                    position += len(block)
    # What zipfile raises for damaged, encrypted and exotic archives.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise SourceUnfit(f"{piece.archive} cannot be unpacked ({error})") from error
    if position != piece.end:
        raise SourceUnfit(f"{piece.archive} holds less than its piece")


def _only_member(opened: zipfile.ZipFile, piece: ZippedPiece) -> zipfile.ZipInfo:
    members = [info for info in opened.infolist() if fnmatch.fnmatchcase(info.filename, piece.member_pattern)]
    if len(members) != 1 or members[0].file_size != piece.end - piece.start:
        raise SourceUnfit(f"{piece.archive} does not hold its piece")
    return members[0]
