"""Moving the models folder to another place: copy and check everything, switch, and only then remove.

Whenever it fails, every file is whole in at least one of the two folders, and the one in use has them all. What was
copied stays for the next attempt; after the switch the rest of the removing is done by `finish_move` at any later time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from models_catalog.disk import free_disk_bytes
from models_catalog.errors import (
    DiskTooSmall,
    FolderUnwritable,
    LibraryBusy,
    LibraryFolderGone,
    LibraryMoveRefused,
    LibraryWorkCancelled,
)
from models_catalog.folder_lock import FileLock, LockHeld
from models_catalog.library.removal import remove_empty_folders
from models_catalog.library.scan import MARK, mark
from models_catalog.library.work import Work, copy_checked, disk_errors, sha256_of

_LOCK = ".liangli-move.lock"


class _Journal(msgspec.Struct, kw_only=True):
    """done: files that are whole in the new folder, with size and time (ns) of what they were brought from."""

    source: str
    target: str
    done: dict[str, tuple[int, int]]

    def is_done(self, file: Path) -> bool:
        """Whether the file was brought to its new place and neither of the two has changed since."""
        old, new = Path(self.source, file), Path(self.target, file)
        with contextlib.suppress(OSError):
            return self.done.get(str(file)) == _stamp(old) and new.stat().st_size == old.stat().st_size
        return False

    def note(self, file: Path, journal: Path) -> None:
        """The file is in its new place."""
        self.done[str(file)] = _stamp(Path(self.source, file))
        fresh = journal.with_name(f"{journal.name}.new")
        with disk_errors(journal.parent):
            fresh.write_bytes(msgspec.json.encode(self))
            fresh.replace(journal)


def _stamp(file: Path) -> tuple[int, int]:
    status = file.lstat()
    return status.st_size, status.st_mtime_ns


def _read(journal: Path) -> _Journal | None:
    try:
        return msgspec.json.decode(journal.read_bytes(), type=_Journal)
    except (OSError, msgspec.MsgspecError):
        return None


def move_library(
    source: Path, target: Path, *, journal: Path, switch: Callable[[], None], work: Work
) -> tuple[str, ...]:
    """Bring all files of the models folder to `target`; returns what could not be removed from the old one.

    switch: makes the new folder the one in use; it is called once, when everything is there. journal: a file elsewhere.
    Raises LibraryFolderGone, LibraryMoveRefused, LibraryBusy, DiskTooSmall, FolderUnwritable, LibraryWorkCancelled
    (what was copied is removed again), and what `switch` raises. Until it was called nothing has changed for anybody.
    """
    _check_folders(source, target)
    with disk_errors(target):
        target.mkdir(parents=True, exist_ok=True)
    known = _read(journal)
    if known is None or (known.source, known.target) != (str(source), str(target)):
        known = _Journal(source=str(source), target=str(target), done={})
    copied: list[Path] = []
    try:
        with _locked(source, must=False), _locked(target, must=True):
            files = _files(source)
            _check_room(source, target, files)
            # Every byte is read once here and once there.
            work.expect(2 * sum((source / file).lstat().st_size for file in files))
            for file in files:
                work.check()
                if known.is_done(file):
                    work.advance(2 * known.done[str(file)][0])
                    continue
                if _bring(source / file, target / file, work):
                    copied.append(target / file)
                known.note(file, journal)
            work.check()
            mark(target)
            switch()
    except LibraryWorkCancelled:
        for path in copied:
            with contextlib.suppress(OSError):
                path.unlink()
            remove_empty_folders(path.parent, target)
        journal.unlink(missing_ok=True)
        raise
    return finish_move(journal, target)


def finish_move(journal: Path, in_use: Path) -> tuple[str, ...]:
    """Remove from the old folder what is whole in the new one, if a move got as far as its switch.

    in_use: the models folder now. Returns the files that are still in the old one, because they changed or could not be
    removed. Raises nothing.
    """
    moved = _read(journal)
    if moved is None or in_use != Path(moved.target):
        return ()
    source = Path(moved.source)
    left: list[str] = []
    if source.is_dir():
        for file in _files(source):
            with contextlib.suppress(OSError):
                if moved.is_done(file):
                    (source / file).unlink()
                    remove_empty_folders((source / file).parent, source)
                    continue
            left.append(str(source / file))
        _remove_remains(source)
    with contextlib.suppress(OSError):
        journal.unlink(missing_ok=True)
    return tuple(left)


def _remove_remains(source: Path) -> None:
    """Our own signs, locks of downloads that went along, and then the folder itself if nothing else is in it."""
    with contextlib.suppress(OSError):
        # Of archives within a download first.
        for lock in sorted(source.rglob(".*.partial/lock"), key=lambda lock: -len(lock.parts)):
            if not any(other != lock for other in lock.parent.iterdir()):
                lock.unlink()
                remove_empty_folders(lock.parent, source)
        (source / MARK).unlink(missing_ok=True)
        source.rmdir()


def _check_folders(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise LibraryFolderGone(path=str(source))
    if target.exists() and not target.is_dir():
        raise LibraryMoveRefused(path=str(target), reason="no_folder")
    old, new = source.resolve(), target.resolve()
    if old == new:
        raise LibraryMoveRefused(path=str(target), reason="same")
    if new.is_relative_to(old) or old.is_relative_to(new):
        raise LibraryMoveRefused(path=str(target), reason="inside")


@contextlib.contextmanager
def _locked(folder: Path, *, must: bool) -> Iterator[None]:
    """must False: a folder that cannot be written is not locked: nobody else moves it either."""
    lock = None
    try:
        lock = FileLock(folder / _LOCK)
    except LockHeld as error:
        raise LibraryBusy(path=str(folder)) from error
    except OSError as error:
        if must:
            raise FolderUnwritable(path=str(folder), reason=error.strerror or str(error)) from error
    try:
        yield
    finally:
        if lock is not None:
            lock.release(remove=True)


def _files(folder: Path) -> tuple[Path, ...]:
    """All below the folder, relative to it, unfinished downloads too. Raises LibraryBusy while one of them runs."""
    found = []
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            if name in (MARK, _LOCK):
                continue
            if name == "lock" and place.endswith(".partial"):
                _check_idle(Path(place, name))
                continue
            found.append(Path(place, name).relative_to(folder))
    return tuple(found)


def _check_idle(lock: Path) -> None:
    # Where it cannot be opened for writing nobody downloads.
    with contextlib.suppress(OSError):
        try:
            FileLock(lock).release()
        except LockHeld as error:
            raise LibraryBusy(path=str(lock.parent.parent)) from error


def _check_room(source: Path, target: Path, files: Sequence[Path]) -> None:
    missing_bytes = 0
    for file in files:
        old, new = source / file, target / file
        if not new.exists():
            missing_bytes += old.lstat().st_size
        elif new.is_dir() or new.stat().st_size != old.stat().st_size:
            raise LibraryMoveRefused(path=str(new), reason="occupied")
    with disk_errors(target):
        same_disk = source.stat().st_dev == target.stat().st_dev
    free_bytes = free_disk_bytes(target)
    if not same_disk and missing_bytes > free_bytes:
        raise DiskTooSmall(path=str(target), needed_bytes=missing_bytes, free_bytes=free_bytes)


def _bring(old: Path, new: Path, work: Work) -> bool:
    """Make the file be in the new place too; False if the same bytes were there already."""
    size_bytes = old.lstat().st_size
    with disk_errors(new.parent, size_bytes):
        new.parent.mkdir(parents=True, exist_ok=True)
        if new.exists():
            if sha256_of(old, work) != sha256_of(new, work):
                raise LibraryMoveRefused(path=str(new), reason="occupied")
            return False
        if old.is_symlink():
            new.symlink_to(old.resolve())
            work.advance(2 * size_bytes)
            return True
    try:
        # On the same disk a second name for the same bytes takes neither time nor room.
        os.link(old, new)
    except OSError:
        copy_checked(old, new, work)
    else:
        work.advance(2 * size_bytes)
    return True
