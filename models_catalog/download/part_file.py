"""The part file of an unfinished download and the journal that says which of its bytes can be relied on.

Beside the file to be, in `.NAME.partial/`:

* `bytes`: the file so far, every byte in its place.
* `arrivals.N`: one line for each write, with the checksum of what has been written in one go up to there. It is
  appended at once, so a process that is killed loses nothing that was written. `sync` forces both files to the disk:
  what is put after the last one is what a power cut can take.
  When a part is opened again each line is compared with the disk, and what does not match is fetched again.
* `journal.json`: the sum of all earlier arrivals, replaced in one step after everything it claims is on the disk.
* `blocks`: the CRC-32 of each whole block of 4 MiB as it arrived: bytes that the disk lost or changed later are found
  by it and fetched alone.
* `.piece-N.partial/`: the same of an archive that holds the piece from byte N on, where the file comes in such.
* `lock`: excludes other downloads of the same file, in this process and in others.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from models_catalog.disk import disk_errors, sync_folder
from models_catalog.download.arrivals import Journal, Run, read_journal, replayed, write_journal
from models_catalog.download.blocks import BLOCK_BYTES, Blocks, checksum_of
from models_catalog.download.extents import Extent, covered_bytes, missing_ranges, sound, with_extent
from models_catalog.download.raw_file import Data, force, opened, read_at, write_at
from models_catalog.download.threads import WorkStopped
from models_catalog.errors import FetchAlreadyRunning
from models_catalog.folder_lock import FileLock, LockHeld

# A longer list of arrivals is folded into the journal, so that opening a part again stays quick.
_MOST_ARRIVALS = 2000


class PartFile:
    """The bytes of one file that have arrived. `put` for one thread; `sync` and the checks for any other at its side.

    Disk errors are raised as DiskTooSmall or FolderUnwritable.
    """

    def __init__(self, target: Path, *, size_bytes: int, sha256: str, etag: str = "") -> None:
        """Opens or begins the part of `target`. sha256 "": unknown; then etag tells whether an old part belongs to it.

        Raises FetchAlreadyRunning if another download has it.
        """
        self.target = target
        self.size_bytes = size_bytes
        self.folder = target.parent / f".{target.name}.partial"
        self._sha256, self._etag = sha256, etag
        self._mutex = threading.Lock()
        self._syncing = threading.Lock()
        self._closed = False
        self._runs: dict[int, Run] = {}
        self.rewrites = 0
        with disk_errors(target.parent):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock = FileLock(self.folder / "lock")
            except LockHeld as error:
                raise FetchAlreadyRunning(path=str(target)) from error
            try:
                self._file = opened(self.folder / "bytes")
                self._blocks = Blocks(self.folder / "blocks", size_bytes)
                self._extents = self._resumed()
                self._blocks.recall(self._extents)
                self._begin_arrivals(self._generation + 1)
            except BaseException:
                self._lock.release()
                raise
        self._fold()

    @property
    def path(self) -> Path:
        """The part file, for reading."""
        return self.folder / "bytes"

    @property
    def extents(self) -> tuple[Extent, ...]:
        """What is there, and from whom."""
        return self._extents

    @property
    def received_bytes(self) -> int:
        """How many of the file's bytes are there."""
        return covered_bytes(self._extents, 0, self.size_bytes)

    @property
    def prefix_bytes(self) -> int:
        """How many bytes are there before the first one that is missing."""
        return next((start for start, _ in self.missing()), self.size_bytes)

    @property
    def contributors(self) -> frozenset[str]:
        """Names of the sources that the bytes came from, in this run and earlier ones."""
        return frozenset(extent.source for extent in self._extents)

    def missing(self) -> tuple[tuple[int, int], ...]:
        """Ranges that are still to be fetched, in order."""
        return missing_ranges(self._extents, 0, self.size_bytes)

    def disk_errors(self) -> AbstractContextManager[None]:
        """Turns the operating system's errors about this part into the catalogue's."""
        return disk_errors(self.target.parent, lambda: self.size_bytes - self.received_bytes)

    def put(self, offset: int, data: Data, source: str) -> None:
        """Writes bytes in their place; they outlive this process from then on. After `close` nothing is written."""
        view = memoryview(data)
        while view:
            room = BLOCK_BYTES - offset % BLOCK_BYTES
            self._put(offset, view[:room], source)
            offset, view = offset + room, view[room:]

    def _put(self, start: int, data: memoryview, source: str) -> None:
        """Of one block."""
        end = start + len(data)
        run = self._runs.pop(start, None)
        if run is None or run.source != source or not start % BLOCK_BYTES:
            run = Run(start, start, 0, source)
        line = run.add(data)
        with self._mutex, self.disk_errors():
            if self._closed:
                return
            if covered_bytes(self._extents, start, end):
                self._become_others(start, end)
            write_at(self._file, start, data)
            self._arrivals.write(line)
            self._arrival_count += 1
            self._extents = with_extent(self._extents, Extent(start=start, end=end, source=source))
            if (run.start, end) == self._blocks.range(start // BLOCK_BYTES):
                self._blocks.know(start // BLOCK_BYTES, run.checksum)
            elif end % BLOCK_BYTES:
                self._runs[end] = run

    def sync(self) -> None:
        """Everything put before this call survives a power cut when it returns; blocks, for a thread of its own."""
        with self._syncing, self.disk_errors():
            with self._mutex:
                if self._closed or not self._arrival_count:
                    return
                arrivals, many = self._arrivals, self._arrival_count >= _MOST_ARRIVALS
            force(self._file)
            force(arrivals)
        if many:
            self._fold()

    def check_blocks(self) -> None:
        """Takes the checksums of whole blocks that came in pieces; blocks. To be called now and then."""
        for index, known in self._blocks:
            start, end = self._blocks.range(index)
            if known is None and not missing_ranges(self._extents, start, end):
                rewrites = self.rewrites
                with self.disk_errors():
                    checksum = checksum_of(self.path, start, end)
                    with self._mutex:
                        if self._closed or self.rewrites != rewrites:
                            return
                        self._blocks.know(index, checksum)

    def drop_changed_blocks(self, stop: threading.Event) -> int:
        """Forgets blocks that are not on the disk as they arrived; returns how many bytes that are."""
        dropped = 0
        for index, known in self._blocks:
            if stop.is_set():
                raise WorkStopped
            start, end = self._blocks.range(index)
            if known is not None:
                with self.disk_errors():
                    changed = checksum_of(self.path, start, end) != known
                if changed:
                    self.forget(start, end)
                    dropped += end - start
        return dropped

    def holds(self, offset: int, data: Data) -> bool:
        """Whether exactly these bytes are there."""
        with self._mutex, self.disk_errors():
            return read_at(self._file, offset, len(data)) == data

    def forget(self, start: int, end: int) -> None:
        """These bytes turned out to be wrong: they are missing again."""
        with self._mutex, self.disk_errors():
            kept = []
            for extent in self._extents:
                if extent.start < min(extent.end, start):
                    kept.append(Extent(start=extent.start, end=min(extent.end, start), source=extent.source))
                if max(extent.start, end) < extent.end:
                    kept.append(Extent(start=max(extent.start, end), end=extent.end, source=extent.source))
            self._extents = tuple(kept)
            self._become_others(start, end)
        self._fold()

    def move_into_place(self) -> None:
        """The whole, checked file appears under its name in one step. Closes the part."""
        with self._syncing, self._mutex, self.disk_errors():
            os.fsync(self._file.fileno())
            self._close_files()
            self.path.replace(self.target)
            sync_folder(self.target.parent)
            self._remove()

    def abandon(self) -> None:
        """Nothing of the part is wanted any more. Closes it."""
        with self._syncing, self._mutex:
            if not self._closed:
                self._close_files()
                self._remove()

    def close(self) -> None:
        """Keeps what arrived and lets others in. May be called twice, and after `move_into_place`."""
        with contextlib.suppress(Exception):
            self._fold()
        with self._syncing, self._mutex:
            if self._closed:
                return
            self._close_files()
            if self._extents or any(self._inner_parts()):
                self._lock.release()
            else:
                self._remove()

    # ---- the journal

    def _resumed(self) -> tuple[Extent, ...]:
        """What earlier runs left that can be relied on."""
        most_bytes = min(self.size_bytes, os.fstat(self._file.fileno()).st_size)
        journal, self._generation = read_journal(self.folder), 0
        ours = journal is not None and journal.is_of(self._sha256, self.size_bytes, self._etag)
        if journal is None or not ours or not sound(journal.extents, most_bytes):
            for left in self.folder.glob("arrivals.*"):
                left.unlink(missing_ok=True)
            for part in self._inner_parts():
                shutil.rmtree(part, ignore_errors=True)
            self._file.truncate(0)
            self._blocks.clear()
            return ()
        extents, self._generation = replayed(self.folder, journal, self._file, most_bytes)
        return extents

    def _inner_parts(self) -> Iterator[Path]:
        """Of archives that hold pieces of this file, where it comes in such."""
        return self.folder.glob(".*.partial")

    def _fold(self) -> None:
        """The arrivals so far become part of the journal, and a new list is begun."""
        with self._syncing, self.disk_errors():
            with self._mutex:
                if self._closed:
                    return
                extents, former = self._extents, self._arrivals
                self._begin_arrivals(self._generation + 1)
                generation = self._generation
            os.fsync(self._file.fileno())
            former.close()
            journal = Journal(
                sha256=self._sha256,
                size_bytes=self.size_bytes,
                extents=extents,
                etag=self._etag,
                arrivals=generation,
            )
            write_journal(self.folder, journal)
            for path in self.folder.glob("arrivals.*"):
                if path.suffix[1:].isdecimal() and int(path.suffix[1:]) < generation:
                    path.unlink(missing_ok=True)

    def _begin_arrivals(self, generation: int) -> None:
        self._generation, self._arrival_count = generation, 0
        self._arrivals: BinaryIO = (self.folder / f"arrivals.{generation}").open("wb", buffering=0)

    def _close_files(self) -> None:
        self._closed = True
        for file in (self._file, self._blocks, self._arrivals):
            file.close()

    def _remove(self) -> None:
        self._lock.release(remove=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _become_others(self, start: int, end: int) -> None:
        """Bytes that were there before are replaced or forgotten."""
        self.rewrites += 1
        self._blocks.forget(start, end)
