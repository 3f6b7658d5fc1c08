"""Writing for people and for programs: notes, tables, JSON, and streamed answers that cannot take over a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

_DIM, _NORMAL = "\x1b[2m", "\x1b[0m"
_KEPT = frozenset("\n\t")


def harmless(text: str) -> str:
    """The text without control characters, which in a terminal could move the cursor, set titles or worse."""
    return text if text.isprintable() else "".join(one for one in text if one in _KEPT or _is_visible(one))


def _is_visible(character: str) -> bool:
    code = ord(character)
    return code >= 0x20 and not 0x7F <= code <= 0x9F


def note(text: str) -> None:
    """A line for the person at the terminal, beside the data on standard output."""
    print(harmless(text), file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output; wide characters are counted as wide, a pipe gets every cell in full."""
    from rich.console import Console  # costs 50 ms, and most commands print no table
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    console.print(table)


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Names and values, one pair a line, on standard output."""
    from rich.cells import cell_len

    width = max(cell_len(name) for name, _ in facts)
    for name, value in facts:
        print(f"{name}{' ' * (width - cell_len(name))}  {harmless(value)}")


def has_colours(stream: TextIO) -> bool:
    """Whether dimming may be written to this stream (https://no-color.org is respected)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class AnswerWriter:
    """Writes an answer to standard output as it comes, and the thinking before it, dimmed, to a terminal only."""

    def __init__(self) -> None:
        self._thinking = False
        self._ends_line = True

    def text(self, piece: str) -> None:
        if not piece:
            return
        if self._thinking:
            self._end_thinking()
            piece = piece.lstrip("\n")
        self._ends_line = piece.endswith("\n") if piece else self._ends_line
        sys.stdout.write(harmless(piece) if sys.stdout.isatty() else piece)
        sys.stdout.flush()

    def reasoning(self, piece: str) -> None:
        if not piece or not sys.stderr.isatty():
            return
        if not self._thinking and has_colours(sys.stderr):
            sys.stderr.write(_DIM)
        self._thinking = True
        sys.stderr.write(harmless(piece))
        sys.stderr.flush()

    def end(self) -> None:
        """Finish the last line; to be called however the answer ended."""
        if self._thinking:
            self._end_thinking()
        if not self._ends_line:
            sys.stdout.write("\n")
            sys.stdout.flush()
            self._ends_line = True

    def _end_thinking(self) -> None:
        sys.stderr.write((_NORMAL if has_colours(sys.stderr) else "") + "\n\n")
        sys.stderr.flush()
        self._thinking = False
