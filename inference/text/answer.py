"""From the bytes of sampled tokens to what the user sees: characters, thinking apart from the answer, stop strings."""

from __future__ import annotations

from dataclasses import dataclass

from inference.text.detokenizer import Utf8Joiner
from inference.text.reasoning import ReasoningSplitter, ReasoningTags
from inference.text.stop import StopMatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStep:
    """What one token made visible. `stopped`: a stop string is complete, the answer ends here."""

    text: str
    reasoning: str
    stopped: bool


_NOTHING = TextStep(text="", reasoning="", stopped=False)


class AnswerText:
    """The text side of one running answer. Stop strings count in the answer only, not in the reasoning.

    Neither the total text nor the place of the stop depends on how the answer is cut into tokens.
    """

    __slots__ = ("_joiner", "_splitter", "_stopped", "_stops")

    def __init__(
        self, stops: tuple[str, ...] = (), tags: ReasoningTags | None = None, starts_in_reasoning: bool = False
    ) -> None:
        self._joiner = Utf8Joiner()
        self._splitter = ReasoningSplitter(tags, starts_inside=starts_in_reasoning)
        self._stops = StopMatcher(stops)
        self._stopped = False

    @property
    def in_reasoning(self) -> bool:
        """The answer so far ends inside its thinking block."""
        return self._splitter.inside

    def feed(self, token: bytes) -> TextStep:
        """Add one token's bytes. After `stopped` every further step is empty and stopped too."""
        text = self._joiner.feed(token)
        return self._step(*self._splitter.feed(text)) if text else self._quiet()

    def finish(self) -> TextStep:
        """The answer has ended: everything that was held back. Call once."""
        first = self._step(*self._splitter.feed(self._joiner.flush()))
        last = self._step(*self._splitter.flush())
        held = "" if self._stopped else self._stops.flush()
        return TextStep(
            text=first.text + last.text + held, reasoning=first.reasoning + last.reasoning, stopped=self._stopped
        )

    def _step(self, answer: str, reasoning: str) -> TextStep:
        if self._stopped:
            return self._quiet()
        shown = ""
        if answer:
            shown, self._stopped = self._stops.feed(answer)
        return TextStep(text=shown, reasoning=reasoning, stopped=self._stopped)

    def _quiet(self) -> TextStep:
        return TextStep(text="", reasoning="", stopped=True) if self._stopped else _NOTHING
