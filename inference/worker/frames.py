"""Cuts a stream of bytes into the bodies of length-prefixed messages."""

from __future__ import annotations

from collections.abc import Iterator

from inference.worker.messages import body_length

_PREFIX_BYTES = 4


class FrameBuffer:
    """Bytes that have arrived but are not yet a whole message. Holds at most one unfinished message after `feed`."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes and take every body that is now whole. Exhaust the iterator before feeding again.

        Raises ValueError when a length is absurd; the stream is of no use after that.
        """
        self._bytes += data
        start = 0
        try:
            while len(self._bytes) - start >= _PREFIX_BYTES:
                body = start + _PREFIX_BYTES
                end = body + body_length(bytes(self._bytes[start:body]))
                if len(self._bytes) < end:
                    return
                start = end
                yield bytes(self._bytes[body:end])
        finally:
            del self._bytes[:start]
