"""Copying a model's files, with the projectors beside them, into a folder of its own."""

from __future__ import annotations

from pathlib import Path

from models_catalog.disk import free_disk_bytes
from models_catalog.errors import DiskTooSmall, LibraryMoveRefused
from models_catalog.library.files import is_companion, parts
from models_catalog.library.work import Work, copy_checked, sha256_of


def copy_model(path: Path, folder: Path, work: Work) -> tuple[str, ...]:
    """Copy the model whose first file this is; returns the sha256 of each of its files, without the projectors'.

    What is whole in the folder already is not copied again. Raises LibraryMoveRefused where another file is in the way,
    DiskTooSmall before anything is copied, FolderUnwritable, ModelFileUnreadable, LibraryWorkCancelled.
    """
    own = parts(path)
    files = [*own, *(file for file in sorted(path.parent.glob("*.[gG][gG][uU][fF]")) if is_companion(file))]
    sizes = {file: file.stat().st_size for file in files}
    missing_bytes = sum(size for file, size in sizes.items() if not (folder / file.name).exists())
    if missing_bytes > (free_bytes := free_disk_bytes(folder)):
        raise DiskTooSmall(path=str(folder), needed_bytes=missing_bytes, free_bytes=free_bytes)
    work.expect(2 * sum(sizes.values()))
    hashes = [_copy(file, folder / file.name, work) for file in files]
    return tuple(hashes[: len(own)])


def _copy(source: Path, target: Path, work: Work) -> str:
    if not target.exists():
        return copy_checked(source, target, work)
    there = sha256_of(target, work)
    if there != sha256_of(source, work):
        raise LibraryMoveRefused(path=str(target), reason="occupied")
    return there
