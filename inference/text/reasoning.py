"""Thinking text and the answer, told apart while they arrive in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_NEWLINES = "\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningTags:
    """The texts that open and close a model's thinking block."""

    open: str
    close: str


# Most telling first: a template that knows <seed:think> may mention <think> in a sentence.
KNOWN_TAGS: tuple[ReasoningTags, ...] = tuple(
    ReasoningTags(open=opening, close=closing)
    for opening, closing in (
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<seed:think>", "</seed:think>"),
        ("<longcat_think>", "</longcat_think>"),
        ("<think:opensource>", "</think:opensource>"),
        ("◁think▷", "◁/think▷"),
        ("[THINK]", "[/THINK]"),
        ("<think>", "</think>"),
        ("<thinking>", "</thinking>"),
        ("<thought>", "</thought>"),
        ("<reasoning>", "</reasoning>"),
    )
)


def detect_reasoning_tags(template_source: str) -> ReasoningTags | None:
    """The thinking tags that a chat template writes or looks for, None for a model that does not think."""
    return next((tags for tags in KNOWN_TAGS if tags.close in template_source and tags.open in template_source), None)


class ReasoningSplitter:
    """Splits an answer into (answer, reasoning). The total does not depend on how the text is cut into pieces.

    Only a block at the very beginning of an answer is thinking; a tag later on is text. With `starts_inside` the prompt
    has opened the block already (a tag that the model repeats all the same is swallowed). Blank space around the
    reasoning and line breaks between the block and the answer belong to neither. A block that is never closed is
    reasoning to its end.
    """

    __slots__ = ("_held", "_phase", "_started", "_tags")

    def __init__(self, tags: ReasoningTags | None, *, starts_inside: bool = False) -> None:
        self._tags = tags
        self._held = ""
        self._started = False  # something of the reasoning was shown
        self._phase: Literal["undecided", "repeated", "inside", "gap", "answer"]
        self._phase = "answer" if tags is None else "repeated" if starts_inside else "undecided"

    @property
    def inside(self) -> bool:
        """The text so far ends in a thinking block."""
        return self._phase in ("repeated", "inside")

    def feed(self, text: str) -> tuple[str, str]:
        """(new text of the answer, new text of the reasoning); what may be part of a tag is held back."""
        if self._phase == "answer" or self._tags is None:
            return text, ""
        return self._advance(self._held + text, self._tags)

    def flush(self) -> tuple[str, str]:
        """End of the answer: what was held back, except blank space at the end of the reasoning."""
        held, self._held = self._held, ""
        match self._phase:
            case "undecided":
                return held, ""
            case "repeated" | "inside":
                return "", held.rstrip() if self._started else held.strip()
            case _:
                return "", ""

    def _advance(self, text: str, tags: ReasoningTags) -> tuple[str, str]:
        self._held = ""
        if self._phase in ("undecided", "repeated"):
            bare = text.lstrip()
            if tags.open.startswith(bare) and bare != tags.open:
                self._held = text
                return "", ""
            if bare.startswith(tags.open):
                text = bare[len(tags.open) :]
            elif self._phase == "undecided":
                self._phase = "answer"
                return text, ""
            self._phase = "inside"
        reasoning = ""
        if self._phase == "inside":
            text, reasoning = self._inside(text, tags.close)
        if self._phase == "gap":
            text = text.lstrip(_NEWLINES)
            if text:
                self._phase = "answer"
        return text, reasoning

    def _inside(self, text: str, close: str) -> tuple[str, str]:
        """(what follows the block, reasoning that can be shown)."""
        if not self._started:
            text = text.lstrip()
        thought, closed, rest = text.partition(close)
        if closed:
            self._phase = "gap"
            return rest, thought.rstrip()
        shown = text[: len(text) - _possible_beginning(text, close)].rstrip()
        self._held = text[len(shown) :]
        self._started = self._started or bool(shown)
        return "", shown


def _possible_beginning(text: str, word: str) -> int:
    """Length of the longest end of `text` that `word` begins with (and that is not all of `word`)."""
    for length in range(min(len(text), len(word) - 1), 0, -1):
        if text.endswith(word[:length]):
            return length
    return 0
