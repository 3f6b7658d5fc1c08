"""Coloured code."""

from __future__ import annotations

from app.gui.theme.tokens import LIGHT
from app.gui.transcript.highlight import HIGHLIGHTED_CHARACTERS, highlighted


def test_known_languages_are_coloured_and_escaped() -> None:
    html = highlighted("if a < 1: pass", "python", LIGHT.syntax)
    assert LIGHT.syntax.keyword in html
    assert "&lt;" in html


def test_unknown_and_endless_code_is_plain() -> None:
    assert highlighted("<b>", "no-such-language", LIGHT.syntax) == "&lt;b&gt;"
    assert "<span" not in highlighted("a = 1\n" * HIGHLIGHTED_CHARACTERS, "python", LIGHT.syntax)


def test_the_code_itself_is_unchanged() -> None:
    assert highlighted("\n\n  x", "python", LIGHT.syntax).startswith("\n\n  ")
