"""Where a file of a hub may lie in the models folder: names from outside never lead out of it. Pure.

A hostile or impossible name is refused, not repaired: a repaired one could be that of another file.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from models_catalog.errors import FileNameRefused

# File systems take 255 bytes; ".NAME.partial" needs nine of them.
_MOST_BYTES = 240
_MOST_PARTS = 8
_MOST_PATH_CHARACTERS = 1024
# Windows gives these to devices, whatever extension follows.
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = frozenset('<>:"|?*\\')
# Windows' own limit is 260 for a whole path, unless the path is written in the long form.
_LONG_FROM_CHARACTERS = 240


def safe_parts(name: str) -> tuple[str, ...]:
    """The folders and the file that a name like "Q4_K_M/model-00001-of-00002.gguf" means. Raises FileNameRefused.

    Chinese names and spaces are fine. Nothing that any of the file systems of Windows, macOS or Linux would read as
    something else: no "..", no drive, no share, no stream, no device, nothing hidden, nothing that is shown otherwise
    than it is.
    """
    if not name or len(name) > _MOST_PATH_CHARACTERS:
        raise FileNameRefused(name[:80])
    parts = tuple(name.split("/"))
    if len(parts) > _MOST_PARTS or not all(_is_safe(part) for part in parts):
        raise FileNameRefused(name[:80])
    return parts


def place_in(folder: Path, *names: str) -> Path:
    """The path of a file inside the folder; `names` are read as `safe_parts` does. Raises FileNameRefused."""
    path = folder
    for name in names:
        path = path.joinpath(*safe_parts(name))
    # The rules above make this impossible; a mistake in them must not write elsewhere all the same.
    if not Path(os.path.normpath(path)).is_relative_to(Path(os.path.normpath(folder))):
        raise FileNameRefused("/".join(names)[:80])
    return path


def long_path(path: str) -> str:
    """An absolute Windows path in the form that has no limit of 260 characters; short ones stay as they are."""
    if len(path) < _LONG_FROM_CHARACTERS or path.startswith("\\\\?\\"):
        return path
    plain = path.replace("/", "\\")
    return "\\\\?\\UNC\\" + plain[2:] if plain.startswith("\\\\") else "\\\\?\\" + plain


def on_disk(path: Path) -> Path:
    """The path as this system's file functions need it."""
    return Path(long_path(str(path.absolute()))) if os.name == "nt" else path


def _is_safe(part: str) -> bool:
    # A percent sign before two digits is a name that somebody may decode once more; compatible forms (fullwidth dots
    # and slashes) are what some file systems and programs make of them.
    plain = unicodedata.normalize("NFKC", part)
    return (
        part == unicodedata.normalize("NFC", part)
        and _is_plain(part)
        and _is_plain(plain)
        and not re.search(r"%[0-9A-Fa-f]{2}", plain)
        and all(unicodedata.category(one) not in ("Cf", "Cc", "Cs", "Co", "Zl", "Zp") for one in part)
    )


def _is_plain(part: str) -> bool:
    try:
        fits = 0 < len(part.encode()) <= _MOST_BYTES
    except UnicodeEncodeError:
        return False
    return (
        fits
        and part[0] not in ". ~-"
        and part[-1] not in ". "
        and part.isprintable()
        and not _FORBIDDEN & set(part)
        and "/" not in part
        and not _DEVICES.fullmatch(part.replace(" ", ""))
    )
