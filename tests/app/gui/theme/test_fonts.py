"""Fonts: Chinese text must not fall back to Japanese shapes."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication

from app.gui.theme.fonts import MONO_FAMILIES, UI_FAMILIES, mono_font, ui_font


@pytest.mark.parametrize("font", [ui_font(), ui_font(26, 700), mono_font()])
def test_the_font_in_use_is_one_of_ours(qapp: QApplication, font: QFont) -> None:
    ours = set(UI_FAMILIES + MONO_FAMILIES)
    if not ours & set(QFontDatabase.families()):
        pytest.skip("none of the named fonts is installed here")
    assert QFontInfo(font).family() in ours
    assert " JP" not in QFontInfo(font).family()
