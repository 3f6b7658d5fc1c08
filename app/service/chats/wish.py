"""How the user wants an answer to be written; stored with it so that it can be written anew or continued."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from inference.values import SamplingWish


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerWish:
    """Sampling and limits of one answer."""

    sampling: SamplingWish = field(default_factory=SamplingWish)
    max_tokens: int | None = None
    enable_thinking: bool | None = None

    def without_seed(self) -> AnswerWish:
        """The same wish for another try: with the same seed it would come out the same."""
        return replace(self, sampling=replace(self.sampling, seed=None))


def to_json(value: Any) -> str:
    """A value of ours as the text that is kept in the database."""
    return msgspec.json.encode(value).decode()


def wish_from_json(text: str) -> AnswerWish:
    """The wish as it was stored; one from another version that cannot be read gives the defaults."""
    try:
        return msgspec.json.decode(text, type=AnswerWish)
    except (msgspec.MsgspecError, ValueError):
        return AnswerWish()
