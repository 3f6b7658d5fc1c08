"""Data that ships with the app: texts, icons, starter models. Read through `resources.wording` and `resources.path`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent


def path(*parts: str) -> Path:
    """Path of a shipped file; the caller may read it, never write it."""
    return ROOT.joinpath(*parts)
