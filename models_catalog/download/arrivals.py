"""What is written of each arrival of bytes, and the journal that sums earlier ones up: how a part is opened again."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from models_catalog.disk import sync_folder
from models_catalog.download.blocks import BLOCK_BYTES
from models_catalog.download.extents import Extent, with_extent
from models_catalog.download.raw_file import Data, read_at


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """sha256: "" where no listing gives one; the ETag then tells one state of the file from another.

    arrivals: the number of the first list of arrivals that is not part of it.
    """

    sha256: str
    size_bytes: int
    extents: tuple[Extent, ...]
    etag: str = ""
    arrivals: int = 0

    def is_of(self, sha256: str, size_bytes: int, etag: str) -> bool:
        """Whether it belongs to this file."""
        # Without a hash only an ETag can tell that it is still the same file.
        same = bool(sha256) or (bool(etag) and self.etag == etag)
        return same and (self.sha256, self.size_bytes) == (sha256, size_bytes)


@dataclass(slots=True, eq=False)
class Run:
    """Bytes written in one go inside one block."""

    start: int
    end: int
    checksum: int
    source: str

    def add(self, data: Data) -> bytes:
        """More of it was written; returns the line that says so."""
        self.end, self.checksum = self.end + len(data), zlib.crc32(data, self.checksum)
        return msgspec.json.encode((self.start, self.end - self.start, self.checksum, self.source)) + b"\n"


def read_journal(folder: Path) -> Journal | None:
    """The journal there, None where none can be read."""
    try:
        return msgspec.json.decode((folder / "journal.json").read_bytes(), type=Journal)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_journal(folder: Path, journal: Journal) -> None:
    """Replaces the journal in one step that survives a power cut."""
    path = folder / "journal.json"
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(journal))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(folder)


def replayed(folder: Path, journal: Journal, bytes_file: BinaryIO, most_bytes: int) -> tuple[tuple[Extent, ...], int]:
    """What the journal and the lists after it claim, as far as the disk agrees, and the number of the last list."""
    extents, generation, last = journal.extents, journal.arrivals, 0
    while (lines := folder / f"arrivals.{generation}").exists():
        runs: dict[int, Run] = {}
        for line in lines.read_bytes().splitlines():
            try:
                start, length, checksum, source = msgspec.json.decode(line, type=tuple[int, int, int, str])
            except msgspec.DecodeError:
                break
            run = runs.get(start)
            if run is None or run.source != source or run.end >= start + length:
                run = Run(start, start, 0, source)
            if not 0 <= start < start + length <= min(most_bytes, start - start % BLOCK_BYTES + BLOCK_BYTES):
                continue
            run.checksum = zlib.crc32(read_at(bytes_file, run.end, start + length - run.end), run.checksum)
            run.end = start + length
            # A later write to the same place has a line of its own.
            if run.checksum == checksum:
                extents = with_extent(extents, Extent(start=start, end=run.end, source=source))
                runs[start] = run
        last = generation
        generation += 1
    return extents, last
