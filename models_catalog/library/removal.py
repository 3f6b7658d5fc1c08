"""Removing a model's files from the models folder: first what that would free, then doing it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from models_catalog.library.files import is_companion, is_model, parts
from models_catalog.library.work import disk_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What removing a model does. paths: files that are deleted; () when it is only taken from the list.

    freed_bytes: less than the files' sizes where other names for the same bytes remain.
    """

    paths: tuple[str, ...]
    freed_bytes: int


def removal_of(path: Path, library_folder: Path) -> Removal:
    """What would be deleted: the files of the model, and what went with it when it is the last one in its folder.

    Only what lies in the library's folder, links resolved; a file elsewhere is never deleted.
    """
    if not _inside(path, library_folder):
        return Removal(paths=(), freed_bytes=0)
    files = [file for file in parts(path) if file.is_symlink() or file.exists()]
    if not any(file not in files and is_model(file) for file in path.parent.glob("*.[gG][gG][uU][fF]")):
        files += [file for file in sorted(path.parent.glob("*.[gG][gG][uU][fF]")) if is_companion(file)]
    return Removal(paths=tuple(map(str, files)), freed_bytes=sum(map(_freed_bytes, files)))


def remove(removal: Removal, library_folder: Path) -> None:
    """Delete the files, the first of them first, and folders that are empty then. Raises FolderUnwritable."""
    for path in map(Path, removal.paths):
        with disk_errors(path.parent):
            path.unlink(missing_ok=True)
    for path in map(Path, removal.paths):
        remove_empty_folders(path.parent, library_folder)


def remove_empty_folders(folder: Path, up_to: Path) -> None:
    """Remove this folder and those above it as long as they are empty, but not `up_to`."""
    with contextlib.suppress(OSError):
        while folder != up_to and folder.is_relative_to(up_to):
            folder.rmdir()
            folder = folder.parent


def _inside(path: Path, folder: Path) -> bool:
    # The folder that holds the file counts, not what the file links to: a link is deleted as a link.
    return path.parent.resolve().is_relative_to(folder.resolve())


def _freed_bytes(file: Path) -> int:
    with contextlib.suppress(OSError):
        status = file.lstat()
        return status.st_size if status.st_nlink == 1 and not file.is_symlink() else 0
    return 0
