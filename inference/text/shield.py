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
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from inference.text.control_text import ControlTexts
from inference.text.rendered import Piece

# Private use planes: the basic one first, because its characters keep strings small.
_PRIVATE = (range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))


# Templates build control texts from roles ("<|" + role + "|>"); these are never the user's own words.
_ROLES = frozenset(("system", "user", "assistant", "tool"))


class TooManyPrivateCharacters(ValueError):
    """The conversation uses up all private characters of Unicode; there is none left to mark with."""


class Shield:
    """Protects the strings of one prompt. `taken`: all text of prompt and template, to choose unused characters.

    literal: strings the template compares with. Words among them are never marked, so that its comparisons hold; a
    control text that holds such a word of the user's and does not stand in `source` as it is, is not trusted.
    separators: strings the template takes out of contents (`content.split("</think>")`), which joins what was apart.
    """

    def __init__(
        self,
        controls: ControlTexts,
        taken: Iterable[str],
        *,
        source: str = "",
        literal: frozenset[str] = frozenset(),
        separators: frozenset[str] = frozenset(),
    ) -> None:
        self._controls = controls
        self._source = source
        self._literal = literal
        self._unmarked: set[str] = set()
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

    def pieces(self, rendered: str, offsets: Sequence[int]) -> tuple[tuple[Piece, ...], tuple[int, ...]]:
        """The prompt in pieces, and ascending `offsets` into `rendered` moved to where they are in the pieces' text."""
        if not self._edge and not self._placeholders and not self._unmarked:
            return ((Piece(text=rendered, special=True),) if rendered else ()), tuple(offsets)
        rendered, offsets = self._unescaped(rendered, list(offsets))
        restore = {placeholder: text for text, placeholder in self._placeholders.items()}
        pieces: list[Piece] = []
        run = ""  # template text since the last user piece
        edges: list[int] = []
        moved: list[int] = []
        place = length = 0  # in `rendered`, in the pieces' text
        for part in self._parts(rendered):
            text = "" if part == self._edge else restore.get(part, part)
            while len(moved) < len(offsets) and offsets[len(moved)] < place + len(part):
                moved.append(length + (offsets[len(moved)] - place if text == part else 0))
            if part == self._edge:
                edges.append(len(run))
            elif part in restore:
                pieces += (*self._cut(run, edges), Piece(text=text, special=False))
                run, edges = "", []
            else:
                run += part
            place += len(part)
            length += len(text)
        pieces += self._cut(run, edges)
        return _joined(pieces), (*moved, *[length] * (len(offsets) - len(moved)))

    def _parts(self, rendered: str) -> list[str]:
        """`rendered` cut around every private character of this prompt."""
        private = "".join((self._edge, *self._placeholders.values()))
        parts = re.split(f"([{private}])", rendered) if private else [rendered]
        return [part for part in parts if part]

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
        before, after = self._controls.may_be_part(bare)
        if not before and not after:
            return text
        if bare in self._literal and bare.isidentifier():
            self._unmarked.add(bare)
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
        """`text` as one piece, cut inside every control text that user text is part of."""
        cuts: set[int] = set()
        for start, end in self._controls.spans(text) if edges or self._unmarked else ():
            cuts.update(edges[bisect_right(edges, start) : bisect_left(edges, end)])
            if self._holds_word(text[start:end]):
                cuts.add(start + 1)
        borders = [0, *sorted(cuts), len(text)]
        return [Piece(text=text[a:b], special=True) for a, b in pairwise(borders) if a < b]

    def _holds_word(self, control: str) -> bool:
        """A word of the user's may be part of this control text."""
        return control not in self._source and any(word in control for word in self._unmarked - _ROLES)


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Neighbouring user pieces as one. Template pieces are never joined: their borders are cuts."""
    out: list[Piece] = []
    for piece in pieces:
        if out and not piece.special and not out[-1].special:
            out[-1] = Piece(text=out[-1].text + piece.text, special=False)
        else:
            out.append(piece)
    return tuple(out)


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
