"""Keeps user text from becoming control tokens when it passes through a chat template.

What looks like a control token is taken out of the user's strings before rendering and replaced by one private
character each; after rendering these characters are put back as pieces of their own, tokenized without control tokens.
So no template, whatever it does with its strings, ever holds such a text. User strings that could *become* part of a
control token together with their neighbours ("<|im_" + "end|>") get a private mark at that edge; where the finished
prompt really holds a control token across such a mark, it is cut there. Everything else stays one piece, so that it is
tokenized as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from inference.text.control_text import ControlTexts
from inference.text.rendered import Piece

# Private use planes: the basic one first, because its characters keep strings small.
_PRIVATE = (range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))


class TooManyPrivateCharacters(ValueError):
    """The conversation uses up all private characters of Unicode; there is none left to mark with."""


class Shield:
    """Protects the strings of one prompt. `taken`: all text of prompt and template, to choose unused characters.

    literal: strings the template compares with; they are never marked, so that its comparisons hold.
    separators: strings the template takes out of contents (`content.split("</think>")`), which joins what was apart.
    """

    def __init__(
        self,
        controls: ControlTexts,
        taken: Iterable[str],
        *,
        literal: frozenset[str] = frozenset(),
        separators: frozenset[str] = frozenset(),
    ) -> None:
        self._controls = controls
        self._literal = literal
        alternatives = "|".join(map(re.escape, sorted(filter(None, separators), key=len, reverse=True)))
        self._separator = re.compile(f"({alternatives})") if alternatives else None
        self._unused = _unused_characters(taken)
        self._edge = ""
        self._placeholders: dict[str, str] = {}

    def protect(self, value: Any) -> Any:
        """A deep copy of JSON-like `value` whose strings, keys too, are protected. TypeError for anything else."""
        match value:
            case str():
                return self._protect_text(value)
            case None | bool() | int() | float():
                return value
            case dict():
                return {self.protect(key): self.protect(item) for key, item in value.items()}
            case list() | tuple():
                return [self.protect(item) for item in value]
            case _:
                raise TypeError(f"not a JSON value: {type(value).__name__}")

    def pieces(self, rendered: str, offsets: Iterable[int]) -> tuple[tuple[Piece, ...], tuple[int, ...]]:
        """The prompt in pieces, and `offsets` into `rendered` moved to where they are in the pieces' text."""
        if not self._edge and not self._placeholders:
            return ((Piece(text=rendered, special=True),) if rendered else ()), tuple(offsets)
        restore = {placeholder: text for text, placeholder in self._placeholders.items()}
        rendered, offsets = self._unescaped(rendered, list(offsets))
        pieces: list[Piece] = []
        run: list[str] = []
        edges: list[int] = []
        run_length = 0
        moved: dict[int, int] = {}
        length = 0
        for start, part in _parts(rendered, frozenset((self._edge, *restore))):
            for offset in offsets:
                if start <= offset < start + len(part):
                    moved[offset] = length + (offset - start if part not in restore and part != self._edge else 0)
            if part == self._edge:
                edges.append(run_length)
            elif part in restore:
                pieces += self._cut("".join(run), edges)
                run, edges, run_length = [], [], 0
                pieces.append(Piece(text=restore[part], special=False))
                length += len(restore[part])
            else:
                run.append(part)
                run_length += len(part)
                length += len(part)
        pieces += self._cut("".join(run), edges)
        return _joined(pieces), tuple(moved.get(offset, length) for offset in offsets)

    def _protect_text(self, text: str) -> str:
        out: list[str] = []
        done = 0
        for start, end in self._controls.merged_spans(text):
            out += (text[done:start], self._placeholder(text[start:end]))
            done = end
        text = "".join((*out, text[done:]))
        if self._separator is None:
            return self._marked(text)
        parts = self._separator.split(text)  # every second one is a separator
        parts[::2] = map(self._marked, parts[::2])
        return "".join(parts)

    def _marked(self, text: str) -> str:
        bare = text.strip()
        if bare in self._literal:
            return text
        before, after = self._controls.may_be_part(bare)
        if not before and not after:
            return text
        edge = self._edge_character()
        lead = len(text) - len(text.lstrip())
        return f"{text[:lead]}{edge if before else ''}{bare}{edge if after else ''}{text[lead + len(bare) :]}"

    def _placeholder(self, text: str) -> str:
        if text not in self._placeholders:
            self._placeholders[text] = self._next_unused()
        return self._placeholders[text]

    def _edge_character(self) -> str:
        if not self._edge:
            self._edge = self._next_unused()
        return self._edge

    def _next_unused(self) -> str:
        try:
            return next(self._unused)
        except StopIteration:
            raise TooManyPrivateCharacters from None

    def _unescaped(self, rendered: str, offsets: list[int]) -> tuple[str, list[int]]:
        """A template that writes strings as JSON or Python literals may have escaped the private characters."""
        for char in (self._edge, *self._placeholders.values()):
            for escaped in _escapes(char) if char else ():
                while (at := rendered.find(escaped)) >= 0:
                    rendered = rendered[:at] + char + rendered[at + len(escaped) :]
                    offsets = [offset - len(escaped) + 1 if offset > at else offset for offset in offsets]
        return rendered, offsets

    def _cut(self, text: str, edges: list[int]) -> list[Piece]:
        """`text` as one piece, cut at every edge of user text that lies inside a control text."""
        cuts = (
            {edge for edge in edges for start, end in self._controls.spans(text) if start < edge < end}
            if edges
            else set()
        )
        borders = [0, *sorted(cuts), len(text)]
        return [Piece(text=text[a:b], special=True) for a, b in pairwise(borders) if a < b]


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Neighbouring user pieces as one. Template pieces are never joined: their borders are cuts."""
    out: list[Piece] = []
    for piece in pieces:
        if out and not piece.special and not out[-1].special:
            out[-1] = Piece(text=out[-1].text + piece.text, special=False)
        else:
            out.append(piece)
    return tuple(out)


def _parts(text: str, single: frozenset[str]) -> Iterator[tuple[int, str]]:
    """(offset, part) of `text`, cut before and after each character of `single`."""
    start = 0
    for index, char in enumerate(text):
        if char in single:
            if start < index:
                yield start, text[start:index]
            yield index, char
            start = index + 1
    if start < len(text):
        yield start, text[start:]


def _escapes(char: str) -> set[str]:
    return {json.dumps(char)[1:-1], repr(char)[1:-1]} - {char}


def _unused_characters(taken: Iterable[str]) -> Iterator[str]:
    """Private characters that neither stand in `taken` nor stand there as an escape."""
    texts = list(taken)
    present = {char for text in texts for char in set(text) if ord(char) >= _PRIVATE[0].start}
    for block in _PRIVATE:
        for code in block:
            char = chr(code)
            if char not in present and not any(form in text for form in _escapes(char) for text in texts):
                yield char
