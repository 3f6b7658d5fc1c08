"""Answers of real tools, as reported in public; shortened, and where it says nothing about the format, rounded."""

from __future__ import annotations

from pathlib import Path


def recorded(name: str) -> str:
    """The answer of this name."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
