"""What Chinese is drawn with."""

from __future__ import annotations

from PySide6.QtGui import QFont

from app.gui.painting import CHINESE, _plugins, drawn_with
from app.gui.theme.fonts import ui_font


def test_the_faces_that_draw_a_text_are_told(fusion: None) -> None:
    runs = drawn_with(ui_font(), CHINESE)
    assert sum(run["glyphs"] for run in runs) == len(CHINESE)
    assert not any(run["missing"] for run in runs)


def test_characters_that_no_font_has_are_counted(fusion: None) -> None:
    font = QFont("DejaVu Sans")
    assert sum(run["missing"] for run in drawn_with(font, "\U0010fffd")) == 1


def test_the_plugins_for_input_methods_are_found(fusion: None) -> None:
    assert "ibus" in _plugins()
