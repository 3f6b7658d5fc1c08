"""A chat template under examination: rendered again and again, within one allowance of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inference.errors import TemplateFailed
from inference.text.limits import LimitExceeded
from inference.text.reasoning import ReasoningTags
from inference.text.template import ChatTemplate, Rendered
from inference.values import ChatMessage, ChatPrompt

# One rendering of a short chat takes about a millisecond.
_RENDER_SECONDS = 1.0
SOME_DAY = datetime(2024, 2, 3, 4, 5, 6)


class OutOfTime(Exception):
    """The allowance is used up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one conversation. text: None when it was refused, for the reason in `detail`."""

    text: str | None
    detail: str = ""
    opens_thinking: bool = False

    def holds(self, *parts: str) -> bool:
        """Rendered, with every one of the parts in it."""
        return self.text is not None and all(part in self.text for part in parts)


class Patient:
    """over_limit: the limit that a rendering went over, if any did."""

    def __init__(self, template: ChatTemplate, *, deadline: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._template = template
        self._deadline = deadline
        self._clock = clock
        self.over_limit = ""

    @property
    def tags(self) -> ReasoningTags | None:
        """The thinking tags that the template knows."""
        return self._template.reasoning_tags

    def render(self, *messages: ChatMessage, now: datetime = SOME_DAY, **prompt: Any) -> Outcome:
        """Raises OutOfTime, and TemplateFailed when the template goes over a limit: no more can be learned then."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise OutOfTime
        wanted = ChatPrompt(messages=messages, **prompt)
        try:
            rendered: Rendered = self._template.render(wanted, now=now, seconds=min(left, _RENDER_SECONDS))
        except TemplateFailed as failure:
            if isinstance(failure.__cause__, LimitExceeded):
                self.over_limit = failure.__cause__.what
                raise
            return Outcome(None, failure.detail)
        return Outcome(rendered.text, opens_thinking=rendered.starts_in_reasoning)
