"""What a check is and what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.values import Language

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check saw. seen: keys of `selftest.seen` in the order in which they are said; facts: fill their
    placeholders, and are the report's for machines (plain JSON values).
    """

    verdict: Verdict = "ok"
    seen: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """name: key of `selftest.name`. look: may raise anything. limit_seconds: after that it counts as failed."""

    name: str
    look: Callable[[], Finding]
    limit_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A check that was made, and how long it took."""

    name: str
    finding: Finding
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the checks look at. data_folder: the user's, in which nothing is written for good. scratch: an empty folder
    of the test's own. has_display: a window can be shown to somebody. screenshot: where the window's picture is wanted.
    """

    environment: dict[str, str]
    language: Language
    data_folder: Path
    scratch: Path
    has_display: bool
    screenshot: Path | None
