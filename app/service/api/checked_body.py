"""The bases of all request bodies: text that no encoding can carry is refused before anything else looks at it."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.dataclasses import dataclass

_Value = TypeVar("_Value")
_CONFIG = ConfigDict(extra="ignore", allow_inf_nan=False)
# For bodies that have all fields of a value: `class Body(CheckedFields, Value)`.
checked_dataclass = partial(dataclass, frozen=True, kw_only=True, config=_CONFIG)


class CheckedBody(BaseModel):
    """Unknown fields are ignored; numbers must be finite; strings must be whole characters."""

    model_config = _CONFIG

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, raw: Any) -> Any:
        refuse_broken_text(raw)
        return raw


@checked_dataclass
class CheckedFields:
    """Refuses what CheckedBody refuses."""

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, raw: Any) -> Any:
        refuse_broken_text(raw)
        return raw


def of_fields(kind: type[_Value], body: Any) -> _Value:
    """The value whose fields a body has."""
    return kind(**{field.name: getattr(body, field.name) for field in fields(kind)})  # type: ignore[arg-type]


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
