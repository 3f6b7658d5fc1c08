"""Makes any text bearable for a text layout: endless lines, runs without a space and endless paragraphs are broken up.

Laying out one megabyte without a space takes Qt more than a minute, and a Markdown parser may need quadratic time for
one endless paragraph. Both cuts are stable: the tamed form of a beginning is the beginning of the tamed form.
"""

from __future__ import annotations

import re
from typing import Final

# Zero-width characters that mark our cuts; `untamed` takes them out again when text is copied.
BREAK: Final = "\u200b"
LINE_CUT: Final = "\u2060\n"
LINE_CHARACTERS: Final = 2_000
PARAGRAPH_CHARACTERS: Final = 20_000
RUN_CHARACTERS: Final = 80

_RUN = re.compile(rf"\S{{{RUN_CHARACTERS}}}(?=\S)")
_FENCE = re.compile(r" {0,3}(```|~~~)")


def tamed_markdown(source: str) -> str:
    """Markdown without lines over 2,000 characters, nor paragraphs over 20,000 (fenced code may be long)."""
    if len(source) <= LINE_CHARACTERS:
        return source
    lines: list[str] = []
    fence = ""
    paragraph = 0
    for line in source.split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        pieces = [line[at : at + LINE_CHARACTERS] for at in range(0, len(line), LINE_CHARACTERS)] or [""]
        if fence:
            lines.append(LINE_CUT.join(pieces))
            continue
        for index, piece in enumerate(pieces):
            if index > 0 or paragraph >= PARAGRAPH_CHARACTERS:
                lines.append("")
                paragraph = 0
            paragraph = paragraph + len(piece) if piece.strip() else 0
            lines.append(piece)
    return "\n".join(lines)


def with_breaks(text: str) -> str:
    """The text with a place to break after every 80 characters of a run without spaces."""
    return _RUN.sub(lambda run: run[0] + BREAK, text)


def tamed_plain(text: str) -> str:
    """Plain text without lines over 2,000 characters and with places to break long runs."""
    return "\n".join(
        LINE_CUT.join(with_breaks(line[at : at + LINE_CHARACTERS]) for at in range(0, len(line) or 1, LINE_CHARACTERS))
        for line in text.split("\n")
    )


def untamed(text: str) -> str:
    """The text as it was written."""
    return text.replace(LINE_CUT, "").replace("\u2060", "").replace(BREAK, "")
