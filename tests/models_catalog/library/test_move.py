from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from models_catalog.errors import (
    DiskTooSmall,
    FolderUnwritable,
    LibraryBusy,
    LibraryFolderGone,
    LibraryMoveRefused,
    LibraryWorkCancelled,
)
from models_catalog.folder_lock import FileLock
from models_catalog.library.library import LibraryFiles, ModelLibrary
from models_catalog.library.work import Work, copy_checked
from tests.models_catalog.library.conftest import put, put_split
from tests.models_catalog.library.trees import sha256


class Kept:
    """Where the user's choice of the folder is kept; `fails` makes the next choice impossible."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.fails = False

    def switch(self, folder: Path) -> None:
        if self.fails:
            raise FolderUnwritable(path="settings", reason="")
        self.folder = folder


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can have a second name on it."""

    def link(source: Any, target: Any) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr("os.link", link)


@pytest.fixture
def content(folder: Path) -> dict[str, str]:
    """Hashes of all that is in the models folder: whole models, a split one, an unfinished download."""
    put_split(folder / "a" / "b" / "big.gguf", seed=8)
    partial = folder / "a" / "b" / ".next.gguf.partial"
    partial.mkdir()
    (partial / "bytes").write_bytes(b"half" * 1000)
    (partial / "lock").touch()
    return hashes(folder)


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("lock", ".liangli-models")
    }


@pytest.mark.parametrize("disk", ["same", "other"])
def test_everything_arrives_and_the_old_folder_is_gone(
    library: ModelLibrary, folder: Path, content: dict[str, str], kept: Kept, tmp_path: Path, disk: str, request: Any
) -> None:
    if disk == "other":
        request.getfixturevalue("other_disk")
    model_id = next(model.id for model in library.models() if "Tiny" in model.path)
    library.verify(library.models()[0], Work())
    before = {model.id: (model.added_at, model.sha256, model.origin) for model in library.models()}
    target = tmp_path / "另一块 盘 💾" / "models"
    progress: list[tuple[int, int]] = []
    left = library.move(target, switch=kept.switch, work=Work(lambda done, total: progress.append((done, total))))
    assert left == () and kept.folder == target == library.folder
    assert hashes(target) == content
    assert not folder.exists()
    assert progress[-1][0] == progress[-1][1] > 0
    after = {model.id: (model.added_at, model.sha256, model.origin) for model in library.models()}
    assert after == before and model_id in after
    assert all(model.path.startswith(str(target)) for model in library.models())


@pytest.mark.parametrize("fails_at", [0, 1, 2, 3])
def test_a_copy_that_fails_loses_nothing_and_goes_on_from_there(
    library: ModelLibrary,
    folder: Path,
    content: dict[str, str],
    kept: Kept,
    tmp_path: Path,
    other_disk: None,
    monkeypatch: pytest.MonkeyPatch,
    fails_at: int,
) -> None:
    copied: list[Path] = []
    full = True

    def full_at(source: Path, target: Path, work: Work) -> str:
        if full and len(copied) == fails_at:
            raise DiskTooSmall(path=str(target.parent), needed_bytes=5, free_bytes=1)
        copied.append(target)
        return copy_checked(source, target, work)

    monkeypatch.setattr("models_catalog.library.move.copy_checked", full_at)
    target = tmp_path / "target"
    with pytest.raises(DiskTooSmall):
        library.move(target, switch=kept.switch, work=Work())
    assert hashes(folder) == content and kept.folder is None and library.folder == folder
    assert len(library.models()) == 2
    full = False
    library.move(target, switch=kept.switch, work=Work())
    assert hashes(target) == content
    assert len(copied) == len(content)  # nothing was copied twice


def test_a_disk_that_returns_other_bytes_is_noticed(
    library: ModelLibrary,
    folder: Path,
    content: dict[str, str],
    kept: Kept,
    tmp_path: Path,
    other_disk: None,
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr("models_catalog.library.work.sha256_of", lambda path, work: "0" * 64)
    with pytest.raises(FolderUnwritable):
        library.move(tmp_path / "target", switch=kept.switch, work=Work())
    assert hashes(folder) == content and hashes(tmp_path / "target") == {}


def test_cancelling_takes_the_copies_away_again(
    library: ModelLibrary, folder: Path, content: dict[str, str], kept: Kept, tmp_path: Path, other_disk: None
) -> None:
    cancelled = threading.Event()
    work = Work(lambda done, total: cancelled.set() if done else None, cancelled)
    with pytest.raises(LibraryWorkCancelled):
        library.move(tmp_path / "target", switch=kept.switch, work=work)
    assert hashes(folder) == content and hashes(tmp_path / "target") == {} and kept.folder is None


def test_a_choice_that_cannot_be_kept_changes_nothing(
    library: ModelLibrary, folder: Path, content: dict[str, str], kept: Kept, tmp_path: Path
) -> None:
    kept.fails = True
    with pytest.raises(FolderUnwritable):
        library.move(tmp_path / "target", switch=kept.switch, work=Work())
    assert hashes(folder) == content and library.folder == folder and len(library.models()) == 2
    assert library.finish_move() == () and hashes(folder) == content


def test_an_end_between_switch_and_removal_is_made_good_later(
    library: ModelLibrary,
    files: LibraryFiles,
    folder: Path,
    content: dict[str, str],
    kept: Kept,
    tmp_path: Path,
    other_disk: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "target"

    def killed(journal: Path, in_use: Path) -> tuple[str, ...]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("models_catalog.library.move.finish_move", killed)
        with pytest.raises(KeyboardInterrupt):
            library.move(target, switch=kept.switch, work=Work())
    assert hashes(folder) == content == hashes(target)
    # A file that came to the old folder meanwhile is nobody's copy.
    late = put(folder / "late.gguf", seed=11)
    assert ModelLibrary(target, files).finish_move() == (str(late),)
    assert list(hashes(folder)) == ["late.gguf"] and hashes(target) == content


def test_where_it_cannot_go(
    library: ModelLibrary, folder: Path, content: dict[str, str], kept: Kept, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(folder)
    occupied = tmp_path / "occupied"
    put(occupied / "publisher" / "repo-GGUF" / "Tiny-Q8_0.gguf", seed=99)
    cases = {
        folder: "same",
        tmp_path / "link": "same",
        folder / "inner": "inside",
        tmp_path: "inside",
        tmp_path / "file": "no_folder",
        occupied: "occupied",
    }
    for target, reason in cases.items():
        with pytest.raises(LibraryMoveRefused) as refused:
            library.move(target, switch=kept.switch, work=Work())
        assert refused.value.reason == reason
    assert hashes(folder) == content and kept.folder is None


def test_not_while_something_is_downloaded_or_moved(
    library: ModelLibrary, folder: Path, content: dict[str, str], kept: Kept, tmp_path: Path
) -> None:
    lock = FileLock(folder / "a" / "b" / ".next.gguf.partial" / "lock")
    with pytest.raises(LibraryBusy):
        library.move(tmp_path / "target", switch=kept.switch, work=Work())
    lock.release()
    other = FileLock(folder / ".liangli-move.lock")
    with pytest.raises(LibraryBusy):
        library.move(tmp_path / "target", switch=kept.switch, work=Work())
    other.release(remove=True)
    library.move(tmp_path / "target", switch=kept.switch, work=Work())
    assert hashes(tmp_path / "target") == content


def test_a_folder_that_is_not_there_cannot_be_moved(
    library: ModelLibrary, folder: Path, kept: Kept, tmp_path: Path
) -> None:
    folder.rename(tmp_path / "unplugged")
    with pytest.raises(LibraryFolderGone):
        library.move(tmp_path / "target", switch=kept.switch, work=Work())


def test_a_small_disk_is_refused_before_anything_is_copied(
    library: ModelLibrary, folder: Path, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Path("/dev/shm")
    if not small.is_dir() or small.stat().st_dev == folder.stat().st_dev:
        pytest.skip("there is no second disk here")
    target = small / f"liangli-{os.getpid()}"
    monkeypatch.setattr("models_catalog.library.move.free_disk_bytes", lambda path: 1000)
    try:
        with pytest.raises(DiskTooSmall) as refused:
            library.move(target, switch=kept.switch, work=Work())
        assert refused.value.free_bytes == 1000 < refused.value.needed_bytes
        monkeypatch.undo()
        library.move(target, switch=kept.switch, work=Work())
        assert len(hashes(target)) == 1 and hashes(folder) == {}
    finally:
        import shutil

        shutil.rmtree(target, ignore_errors=True)
