"""Arrays in a GGUF header: kept as the file's own bytes, decoded only when an element is asked for."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload


class StringArray(Sequence[str]):
    """An immutable array of UTF-8 strings. Bytes that are no UTF-8 show as U+FFFD; `raw` has them as they are."""

    __slots__ = ("_data", "_ends")

    def __init__(self, data: bytes, ends: array[int]) -> None:
        """`data`: length-prefixed strings (8 bytes each) one after the other; `ends[i]`: where the i-th one ends."""
        self._data = data
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(len(self))))
        return self.raw(index).decode("utf-8", "replace")

    def raw(self, index: int) -> bytes:
        """The bytes of one string."""
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        start = self._ends[number - 1] + 8 if number else 8
        return self._data[start : self._ends[number]]

    @property
    def text_bytes(self) -> int:
        """Bytes of all strings together."""
        return len(self._data) - 8 * len(self._ends)

    def all_raw(self) -> Iterator[bytes]:
        """Every string's bytes, in order; much faster than asking one by one."""
        data, start = self._data, 8
        for end in self._ends:
            yield data[start:end]
            start = end + 8

    def __iter__(self) -> Iterator[str]:
        return (piece.decode("utf-8", "replace") for piece in self.all_raw())

    def __repr__(self) -> str:
        return f"<StringArray of {len(self)}>"
