"""What the user decided about models outside the models folder: which files to use, and which not to show.

Kept apart from the index, which may be lost.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from models_catalog.kept_aside import keep_aside
from models_catalog.library.work import disk_errors
from resources.atomic_file import write_atomically


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute paths. added: files that are used where they lie; hidden: other programs' files that are not listed."""

    added: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def read_choices(file: Path) -> Choices:
    """Nothing where there is no file, or none that can be read. Earlier versions wrote a list of what was added."""
    try:
        read = msgspec.json.decode(file.read_bytes(), type=Choices | list[str])
    except (OSError, msgspec.MsgspecError):
        return Choices()
    return read if isinstance(read, Choices) else Choices(added=tuple(read))


def write_choices(file: Path, choices: Choices) -> None:
    """Replace the file in one step; what a newer version wrote stays, in the file or beside it.

    Raises DiskTooSmall, FolderUnwritable.
    """
    unknown = _of_newer_version(file)
    with disk_errors(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, msgspec.json.encode(unknown | msgspec.to_builtins(choices)))


def _of_newer_version(file: Path) -> dict[str, Any]:
    """What the file holds that this version does not know; a file that it cannot read is kept beside."""
    with contextlib.suppress(OSError):
        content = file.read_bytes()
        try:
            msgspec.json.decode(content, type=Choices | list[str])
            found = msgspec.json.decode(content)
        except msgspec.MsgspecError:
            keep_aside(file)
        else:
            if isinstance(found, dict):
                return {name: value for name, value in found.items() if name not in Choices.__struct_fields__}
    return {}
