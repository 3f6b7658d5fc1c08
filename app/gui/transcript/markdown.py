"""Markdown source as segments: runs of prose, and fenced code blocks by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Writing goes on in the last segment, which is drawn anew each time: kept short, that stays under a millisecond.
PROSE_CHARACTERS: Final = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Paragraphs, lists, tables, … `start`: offset of the first character in the source."""

    start: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code block. language: the first word after the fence, "" without one."""

    start: int
    language: str
    content: str


Segment = Prose | Code


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 40 ms that the first paint of the window does not need

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def segments(source: str) -> list[Segment]:
    """The segments of a source in order. All but the last are final when more source is appended."""
    line_starts = [0]
    for line in source.split("\n"):
        line_starts.append(line_starts[-1] + len(line) + 1)
    result: list[Segment] = []
    for first_line, tokens in _blocks(_parser().parse(source)):
        start = line_starts[first_line]
        token = tokens[0]
        previous = result[-1] if result else None
        if token.type in ("fence", "code_block"):
            words = token.info.split()
            result.append(Code(start=start, language=words[0][:40] if words else "", content=token.content))
        elif isinstance(previous, Prose) and start - previous.start < PROSE_CHARACTERS:
            result[-1] = Prose(start=previous.start, tokens=(*previous.tokens, *tokens))
        else:
            result.append(Prose(start=start, tokens=tuple(tokens)))
    return result


def _blocks(tokens: Sequence[Token]) -> Iterator[tuple[int, Sequence[Token]]]:
    """Top-level blocks: their first line and their tokens."""
    begin = depth = 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            first = tokens[begin]
            yield (first.map[0] if first.map else 0), tokens[begin : index + 1]
            begin = index + 1
