"""How much a chat template may do: time, text, memory. Templates come with model files and are not trusted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

MAX_SOURCE_CHARS = 128 * 1024  # the longest that models come with have 30 k
MAX_OUTPUT_CHARS = 16 * 1024 * 1024
MAX_TEXT_CHARS = 16 * 1024 * 1024  # one string
MAX_ITEMS = 300_000  # one container, with everything in it
MAX_WIDTH = 10_000  # of padding, indentation, precision
MAX_TOTAL = 128 * 1024 * 1024  # characters and items made during one rendering, dead ones too
RENDER_SECONDS = 5.0

_CHECK_EVERY = 64


class LimitExceeded(Exception):
    """A template went over a limit; `what` names it. Not a jinja2 error, so that no filter swallows it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Meter:
    """Counts what one rendering uses. Every operation that can make much from little is to ask it before or after."""

    __slots__ = ("_clock", "_deadline", "_steps", "_total")

    def __init__(self, *, seconds: float = RENDER_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self._steps = 0
        self._total = 0

    def step(self) -> None:
        """One loop iteration or call. Looks at the clock now and then."""
        self._steps += 1
        if self._steps % _CHECK_EVERY == 0:
            self.check_time()

    def check_time(self) -> None:
        """LimitExceeded when the time is up."""
        if self._clock() > self._deadline:
            raise LimitExceeded("time")

    def reserve(self, size: int, limit: int = MAX_TEXT_CHARS) -> None:
        """A value of `size` characters or items is about to be made."""
        if size > limit:
            raise LimitExceeded("size")
        self._total += size
        if self._total > MAX_TOTAL:
            raise LimitExceeded("memory")

    def made(self, value: Any) -> Any:
        """`value` was made: counts it and gives it back."""
        if isinstance(value, str):
            self.reserve(len(value))
        elif isinstance(value, (list, tuple, dict)):
            self.reserve(_weight(value)[0], MAX_ITEMS)
        elif isinstance(value, int) and value.bit_length() > MAX_WIDTH:
            raise LimitExceeded("number")
        return value

    def will_be_text(self, value: Any) -> Any:
        """`value` is about to be written as text: a container shared many times over grows without bound there."""
        if isinstance(value, (list, tuple, dict)):
            items, chars = _weight(value)
            self.reserve(items + chars)
        return value


def _weight(container: Any) -> tuple[int, int]:
    """(items in it at every depth, characters in its strings), shared parts counted as often as they are met."""
    items = chars = 0
    stack = [container]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            chars += len(value)
        elif isinstance(value, dict):
            items += 2 * len(value)
            stack += value.keys()
            stack += value.values()
        elif isinstance(value, (list, tuple)):
            items += len(value)
            stack += value
        if items > MAX_ITEMS:
            raise LimitExceeded("size")
    return items, chars
