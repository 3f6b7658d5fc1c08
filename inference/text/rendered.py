"""The value that a rendered chat template is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of prompt text. special: control tokens in it are meant; else it is user text and they are plain text."""

    text: str
    special: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A prompt, cut only where user text looks like a control token; mostly it is one piece.

    starts_in_reasoning: the prompt ends inside an opened thinking block.
    message_starts: ascending offsets in `text` where messages begin, the last one where the answer's header begins;
    good places to cut a prefix. Empty when the template does not tell.
    """

    pieces: tuple[Piece, ...]
    starts_in_reasoning: bool = False
    message_starts: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The whole prompt."""
        return "".join(piece.text for piece in self.pieces)
