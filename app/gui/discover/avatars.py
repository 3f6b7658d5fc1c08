"""A letter on a ground in the colour of a model's maker."""

from __future__ import annotations

import zlib
from typing import Final

from app.catalogue_values import CatalogueModel
from app.gui.theme.tokens import ThemeName

# Ground and letter; the contrast is 4.5 or more, held by a test.
COLOURS: Final[dict[ThemeName, tuple[tuple[str, str], ...]]] = {
    "light": (
        ("#E2F1EC", "#0B6B57"),
        ("#E4ECFB", "#2C5FB8"),
        ("#FCF0D6", "#8A5700"),
        ("#F3E6F6", "#84358F"),
        ("#FBE7E4", "#A8322A"),
        ("#E3F0F5", "#1E677F"),
        ("#ECECE7", "#565D59"),
        ("#EBEFD9", "#556418"),
    ),
    "dark": (
        ("#173B33", "#5CCBB0"),
        ("#1D2C4B", "#8FB4F2"),
        ("#3B2F14", "#E5B04C"),
        ("#382241", "#D79BE2"),
        ("#43211D", "#F08A7E"),
        ("#17343F", "#7CC6DE"),
        ("#2C3330", "#A9B2AD"),
        ("#2D3419", "#B9CA6B"),
    ),
}


def letter(model: CatalogueModel) -> str:
    """The first letter of a model's name."""
    return next((one.upper() for one in model.name.en if one.isalnum()), "?")


def colours(model: CatalogueModel, theme: ThemeName) -> tuple[str, str]:
    """Ground and letter: the same for all models of a maker, and at every start."""
    choice = COLOURS[theme]
    return choice[zlib.crc32(model.vendor.en.encode()) % len(choice)]
