"""The hash of a file while it still arrives: soon after its last byte is there, it is known whether all are right."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from models_catalog.download.part_file import PartFile
from models_catalog.download.threads import WorkStopped

_READ_BYTES = 1024 * 1024


class FollowingHash:
    """Reads from the disk what has arrived without a gap. One call at a time."""

    def __init__(self, part: PartFile) -> None:
        self._part = part
        self._begin()

    def advance(self, stop: threading.Event, on_progress: Callable[[int], None] = lambda _: None) -> int:
        """Goes on as far as the bytes are there; returns how many more that were. Raises WorkStopped, OSError.

        on_progress is told how many bytes are done.
        """
        if self._part.rewrites != self._rewrites:
            # Bytes that were counted already may be others now.
            self._begin()
        before = self._done_bytes
        with self._part.path.open("rb", buffering=0) as file:
            file.seek(self._done_bytes)
            while self._done_bytes < (end := self._part.prefix_bytes):
                if stop.is_set():
                    raise WorkStopped
                if not (piece := file.read(min(_READ_BYTES, end - self._done_bytes))):
                    break
                self._digest.update(piece)
                self._done_bytes += len(piece)
                on_progress(self._done_bytes)
        return self._done_bytes - before

    def finish(self, stop: threading.Event, on_progress: Callable[[int], None]) -> str:
        """The hash of the whole file, all of whose bytes are there. Raises WorkStopped, OSError."""
        self.advance(stop, on_progress)
        return self._digest.hexdigest()

    def _begin(self) -> None:
        self._rewrites, self._done_bytes, self._digest = self._part.rewrites, 0, hashlib.sha256()
