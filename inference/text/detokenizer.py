"""Whole characters out of the bytes of tokens: one character may be spread over several tokens."""

from __future__ import annotations

import codecs


class Utf8Joiner:
    """Joins token bytes to text. The sum of all answers does not depend on how the bytes were cut into tokens.

    Bytes that can be no part of UTF-8 become U+FFFD as soon as that is certain; a character that is merely not complete
    yet is held back, and if the answer ends there it is dropped: the model was cut off, it did not write nonsense.
    """

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        """Every character that `data` completes, possibly none."""
        return self._decoder.decode(data)

    def flush(self) -> str:
        """End of the answer. Always "" today: what is still held can only be the beginning of a character."""
        self._decoder.reset()
        return ""
