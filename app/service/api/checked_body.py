"""The base of all request bodies: text that no encoding can carry is refused before anything else looks at it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class CheckedBody(BaseModel):
    """Unknown fields are ignored; numbers must be finite; strings must be whole characters."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, raw: Any) -> Any:
        refuse_broken_text(raw)
        return raw


def refuse_broken_text(value: Any) -> None:
    """Raises ValueError when a string in a JSON value holds half of a surrogate pair."""
    pending = [value]
    while pending:
        match pending.pop():
            case str() as text:
                if not text.isascii():
                    text.encode()  # UnicodeEncodeError is a ValueError
            case dict() as inner:
                pending += [*inner.keys(), *inner.values()]
            case list() as inner:
                pending += inner
