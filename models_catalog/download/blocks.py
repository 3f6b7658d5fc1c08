"""The checksum of each block of an unfinished file as it arrived: what the disk changed later is found by it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from models_catalog.download.extents import Extent, missing_ranges
from models_catalog.download.raw_file import opened, read_at, write_at

BLOCK_BYTES = 4 * 1024 * 1024
# Of a block: whether its checksum is known, and which it is.
_CHECK = struct.Struct("<II")
_READ_BYTES = 1024 * 1024


class Blocks:
    """Kept in a file beside the bytes. Not safe for threads: the part's lock is held around `know` and `forget`."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        """size_bytes: of the file that the blocks are of. `recall` or `clear` comes first."""
        self._file = opened(path)
        self._size_bytes = size_bytes
        self._checks: list[int | None] = []

    def recall(self, extents: tuple[Extent, ...]) -> None:
        """What is kept of the blocks that are there wholly."""
        count = -(-self._size_bytes // BLOCK_BYTES)
        stored = read_at(self._file, 0, count * _CHECK.size).ljust(count * _CHECK.size, b"\0")
        self._checks = [
            checksum if known and not missing_ranges(extents, *self.range(index)) else None
            for index, (known, checksum) in enumerate(_CHECK.iter_unpack(stored))
        ]

    def clear(self) -> None:
        """Nothing is known."""
        self._file.truncate(0)

    def range(self, index: int) -> tuple[int, int]:
        """Where a block begins and ends."""
        return index * BLOCK_BYTES, min((index + 1) * BLOCK_BYTES, self._size_bytes)

    def __iter__(self) -> Iterator[tuple[int, int | None]]:
        """Each block's number and its checksum, as far as it is known."""
        return iter(enumerate(self._checks))

    def know(self, index: int, checksum: int) -> None:
        """The block arrived with this checksum."""
        self._checks[index] = checksum
        write_at(self._file, index * _CHECK.size, _CHECK.pack(1, checksum))

    def forget(self, start: int, end: int) -> None:
        """Bytes of this range become others."""
        for index in range(start // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
            if self._checks[index] is not None:
                self._checks[index] = None
                write_at(self._file, index * _CHECK.size, _CHECK.pack(0, 0))

    def close(self) -> None:
        """No more is kept."""
        self._file.close()


def checksum_of(path: Path, start: int, end: int) -> int:
    """The CRC-32 of this range of the file, as it lies on the disk."""
    checksum = 0
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while start < end and (piece := file.read(min(_READ_BYTES, end - start))):
            checksum = zlib.crc32(piece, checksum)
            start += len(piece)
    return checksum
