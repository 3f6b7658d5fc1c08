"""Errors as they cross from the child to the service: the class's name and its fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import inference.errors
import models_catalog.errors

_MODULES = (inference.errors, models_catalog.errors)


class UnknownRefusal(ValueError):
    """No such error class, or other fields than it has."""


def to_wire(error: Exception) -> tuple[str, dict[str, Any]]:
    """Name and fields of an error of inference.errors or models_catalog.errors."""
    if not dataclasses.is_dataclass(error):
        return type(error).__name__, {}
    return type(error).__name__, {field.name: getattr(error, field.name) for field in dataclasses.fields(error)}


def from_wire(name: str, values: Mapping[str, Any], bases: tuple[type[Exception], ...]) -> Exception:
    """The error that `to_wire` took apart. Raises UnknownRefusal when it is none of `bases` or its fields differ."""
    found = (getattr(module, name, None) for module in _MODULES)
    error = next((item for item in found if isinstance(item, type) and issubclass(item, bases)), None)
    if error is None:
        raise UnknownRefusal(name)
    try:
        return error(**values)
    except TypeError as problem:
        raise UnknownRefusal(str(problem)) from problem
