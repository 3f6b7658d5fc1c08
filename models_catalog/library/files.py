"""Which files are models, and which files are one model: names and sizes, no content."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})", re.IGNORECASE | re.DOTALL)
# What lies beside models and is none: projectors for images and sound, importance matrices, heads that only draft.
_COMPANION = re.compile(r"(^|[-._ ])(mmproj|imatrix)([-._ ]|$)|^mtp[-._]", re.IGNORECASE)
_MOST_SHARDS = 1000


def files_below(place: Path, *, without: Collection[str] = ()) -> Iterator[Path]:
    """The GGUF files in a folder and below it, or the file itself; those whose paths are no Unicode are left out.

    Hidden folders are not looked into (they hold what is not finished), nor are those with the names in `without`.
    """
    if not place.is_dir():
        if place.is_file() and _can_be_written(str(place)):
            yield place.absolute()
        return
    for folder, names, files in os.walk(place.absolute()):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in without)
        for name in sorted(files):
            if name.lower().endswith(".gguf") and _can_be_written(path := os.path.join(folder, name)):  # noqa: PTH118
                yield Path(path)


def _can_be_written(path: str) -> bool:
    """Names that are no Unicode cannot be sent, kept in a database or shown."""
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def is_model(path: Path) -> bool:
    """Whether a file's name is that of a model, or of the first file of one."""
    name = path.name.lower()
    if not name.endswith(".gguf") or name.startswith("."):
        return False
    if is_companion(path):
        return False
    shard = SHARD.fullmatch(path.stem)
    return shard is None or int(shard["number"]) == 1


def is_companion(path: Path) -> bool:
    """Whether a GGUF file's name says that it only goes with a model."""
    return _COMPANION.search(path.stem) is not None


def parts(path: Path) -> tuple[Path, ...]:
    """All files of the model whose first file this is, those included that are not there."""
    shard = SHARD.fullmatch(path.stem)
    if shard is None:
        return (path,)
    return tuple(
        path.with_name(f"{shard['stem']}-{number:05}-of-{shard['count']}{path.suffix}")
        for number in range(1, min(int(shard["count"]), _MOST_SHARDS) + 1)
    )


def stem(path: Path) -> str:
    """The file's name without its ending and without its number among several."""
    shard = SHARD.fullmatch(path.stem)
    return shard["stem"] if shard is not None else path.stem


def file_stamp(path: Path) -> tuple[int, int]:
    """Bytes and time of change (ns) of one file; (0, 0) when it is not there."""
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_size, status.st_mtime_ns
    return 0, 0


def stamp(path: Path) -> tuple[int, int]:
    """Bytes and time of change (ns) of all files of a model; (0, 0) when there is none. Two equal ones: unchanged."""
    size_bytes, changed_ns = 0, 0
    for part in parts(path):
        part_bytes, part_ns = file_stamp(part)
        size_bytes += part_bytes
        changed_ns = max(changed_ns, part_ns)
    return size_bytes, changed_ns
