"""Fonts, named one by one: left alone, Debian gives Chinese text the Japanese shapes of its characters."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QFont

from app.gui.theme import tokens

UI_FAMILIES: Final = (
    "PingFang SC",
    "Microsoft YaHei UI",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "Segoe UI",
    "sans-serif",
)
MONO_FAMILIES: Final = (
    "SF Mono",
    "Cascadia Mono",
    "JetBrains Mono",
    "DejaVu Sans Mono",
    "Noto Sans Mono CJK SC",
    "monospace",
    *UI_FAMILIES[:6],
)


def ui_font(pixels: int = tokens.BODY, weight: int = 400) -> QFont:
    """The font of everything but code."""
    return _font(UI_FAMILIES, pixels, weight)


def mono_font(pixels: int = 13) -> QFont:
    """The font of code; Chinese in it comes from the same faces as elsewhere."""
    return _font(MONO_FAMILIES, pixels, 400)


def _font(families: tuple[str, ...], pixels: int, weight: int) -> QFont:
    font = QFont()
    font.setFamilies(list(families))
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font
