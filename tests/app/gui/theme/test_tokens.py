"""Colours: every text is readable on every ground it is used on."""

from __future__ import annotations

import pytest

from app.gui.theme.tokens import DARK, LIGHT, Theme


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_texts_reach_aa(theme: Theme) -> None:
    grounds = (theme.ground, theme.side, theme.surface, theme.sunken)
    pairs = [(text, ground) for text in (theme.text, theme.text_second, theme.text_third) for ground in grounds]
    pairs += [(text, theme.hover) for text in (theme.text, theme.text_second)]
    pairs += [(theme.accent, ground) for ground in grounds]
    pairs += [(theme.text, theme.accent_soft), (theme.on_accent, theme.accent), (theme.on_accent, theme.accent_hover)]
    pairs += [(theme.good, theme.good_soft), (theme.warn, theme.warn_soft), (theme.bad, theme.bad_soft)]
    pairs += [(theme.text_second, theme.warn_soft), (theme.bad, theme.surface)]
    pairs += [(theme.text_second, theme.accent_soft), (theme.text, theme.warn_soft), (theme.text, theme.bad_soft)]
    syntax = theme.syntax
    pairs += [
        (colour, theme.sunken) for colour in (syntax.keyword, syntax.name, syntax.string, syntax.comment, syntax.number)
    ]
    low = {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5}
    assert not low
