"""The colours of the light and the dark theme, and the few sizes everything is built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ThemeName = Literal["light", "dark"]

RADIUS_SMALL: Final = 6
RADIUS_MEDIUM: Final = 10
RADIUS_LARGE: Final = 14
BODY: Final = 14
READING: Final = 15
TITLE: Final = 26
# The reading column: about 45 Chinese characters a line.
COLUMN_WIDTH: Final = 760


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxColours:
    """Colours of highlighted code."""

    keyword: str
    name: str
    string: str
    comment: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One palette. The texts reach a contrast of 4.5 on every ground they are used on (WCAG AA, held by a test)."""

    name: ThemeName
    ground: str
    side: str
    surface: str
    sunken: str
    hover: str
    border: str
    border_strong: str
    text: str
    text_second: str
    text_third: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    track: str
    memory_state: str
    memory_compute: str
    memory_other: str
    syntax: SyntaxColours


LIGHT: Final = Theme(
    name="light",
    ground="#FAFAF8",
    side="#F2F2EE",
    surface="#FFFFFF",
    sunken="#F5F6F3",
    hover="#EAEAE5",
    border="#E5E5DF",
    border_strong="#D3D4CC",
    text="#1B1F1D",
    text_second="#565D59",
    text_third="#646B66",
    accent="#0B7A63",
    accent_hover="#096652",
    on_accent="#FFFFFF",
    accent_soft="#E2F1EC",
    good="#16784B",
    good_soft="#E1F3E8",
    warn="#8F5B00",
    warn_soft="#FCF0D6",
    bad="#B3352B",
    bad_soft="#FBE7E4",
    track="#E3E5DF",
    memory_state="#4FA98F",
    memory_compute="#E0A93B",
    memory_other="#B4BAB3",
    syntax=SyntaxColours(keyword="#A5306E", name="#2C5FB8", string="#0B6B45", comment="#69706B", number="#9A5B00"),
)

DARK: Final = Theme(
    name="dark",
    ground="#141716",
    side="#191D1B",
    surface="#1E2321",
    sunken="#191D1B",
    hover="#272D2A",
    border="#2C3330",
    border_strong="#3D4642",
    text="#E8ECE9",
    text_second="#A9B2AD",
    text_third="#8F9993",
    accent="#35B899",
    accent_hover="#4CCBAD",
    on_accent="#06231C",
    accent_soft="#173B33",
    good="#4CC488",
    good_soft="#173726",
    warn="#E5B04C",
    warn_soft="#3B2F14",
    bad="#F08A7E",
    bad_soft="#43211D",
    track="#2A312E",
    memory_state="#217A67",
    memory_compute="#E0A93B",
    memory_other="#4A534E",
    syntax=SyntaxColours(keyword="#F08FC0", name="#86AEF0", string="#7FD6A8", comment="#8A948E", number="#E5B04C"),
)
