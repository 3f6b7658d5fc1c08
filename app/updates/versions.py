"""Versions of the program and their order: X.Y.Z, or X.Y.Z-SUFFIX for what comes before X.Y.Z is ready. Pure."""

from __future__ import annotations

import re

_NUMBER = r"(0|[1-9]\d{0,5})"
_PIECE = r"(?:0|[1-9]\d{0,5}|\d*[a-z][0-9a-z]{0,15})"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PIECE}(?:\.{_PIECE}){{0,3}}))?")
MAX_CHARACTERS = 60

VersionKey = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


def version_key(text: str) -> VersionKey:
    """By which versions are ordered, as https://semver.org says: "0.2.0-rc.1" < "0.2.0-rc.2" < "0.2.0" < "0.10.0".

    Raises ValueError for whatever is not written in exactly this way: two spellings of one version could pass for two.
    """
    match = _VERSION.fullmatch(text) if len(text) <= MAX_CHARACTERS and text.isascii() else None
    if match is None:
        raise ValueError("not a version")
    major, minor, patch, suffix = match.groups()
    pieces = tuple(
        (False, int(piece), "") if piece.isdecimal() else (True, 0, piece)
        for piece in (suffix or "").split(".")
        if piece
    )
    return int(major), int(minor), int(patch), suffix is None, pieces


def is_version(text: str) -> bool:
    """Whether `version_key` takes it."""
    try:
        version_key(text)
    except ValueError:
        return False
    return True


def is_unfinished(text: str) -> bool:
    """Whether this version comes before the one that is meant for everybody. Raises ValueError."""
    return not version_key(text)[3]
