"""Errors arrive as what they were; anything else is refused."""

from __future__ import annotations

from typing import Any

import pytest

from inference.errors import ContextOverflow, EngineBusy, ModelLoadFailed, ModelRefused, RequestRefused
from inference.worker.refusals import UnknownRefusal, from_wire, to_wire
from models_catalog.errors import CatalogError, NotGguf


@pytest.mark.parametrize(
    "error",
    [
        ContextOverflow(prompt_tokens=5, context_tokens=7),
        ModelLoadFailed(path="p", detail="d"),
        NotGguf(path="p", looks_like="zip"),
    ],
)
def test_there_and_back(error: Exception) -> None:
    name, fields = to_wire(error)
    back = from_wire(name, fields, (RequestRefused, ModelRefused, CatalogError))
    assert type(back) is type(error)
    assert vars(back) == vars(error)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("KeyError", {}),
        ("dataclass", {}),
        ("ModelLoadFailed", {"path": "", "detail": ""}),  # not one for a request
        ("EngineBusy", {"waiting": 1}),
        ("EngineBusy", {"waiting": 1, "limit": 1, "more": 1}),
    ],
)
def test_unknown_errors_are_refused(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(UnknownRefusal):
        from_wire(name, fields, (RequestRefused,))


def test_an_error_without_fields() -> None:
    assert to_wire(ValueError("x")) == ("ValueError", {})
    assert to_wire(EngineBusy(waiting=1, limit=2)) == ("EngineBusy", {"waiting": 1, "limit": 2})
