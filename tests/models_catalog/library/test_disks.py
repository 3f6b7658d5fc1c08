"""Disks that are full, read-only or shared with another instance: clear errors, and nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from models_catalog.errors import DiskTooSmall, FolderUnwritable, LibraryFolderGone, LibraryMoveRefused
from models_catalog.library.elsewhere.programs import places_of
from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.library import LibraryFiles, ModelLibrary
from models_catalog.library.work import Work
from tests.models_catalog.library.conftest import only, put, put_split
from tests.models_catalog.library.trees import ollama_pull


def failing(number: int) -> Any:
    def fail(*anything: Any, **more: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_read_only_disk_keeps_its_models(library: ModelLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    model = only(library)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", failing(errno.EROFS))
        with pytest.raises(FolderUnwritable) as refused:
            library.remove(model)
    assert os.strerror(errno.EROFS) == refused.value.reason
    assert only(library) == model


def test_a_model_on_a_read_only_disk_can_be_listed_and_checked(
    library: ModelLibrary, files: LibraryFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathlib.Path.touch", failing(errno.EROFS))
    assert library.verify(only(library), Work()) == "sound"


def test_the_choice_of_a_full_disk_is_refused_and_the_list_stays(
    library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(put(tmp_path / "one.gguf", seed=2))
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", failing(errno.ENOSPC))
        with pytest.raises(DiskTooSmall):
            library.add(put(tmp_path / "two.gguf", seed=3))
    assert sorted(Path(model.path).name for model in library.models()) == ["Tiny-Q8_0.gguf", "one.gguf"]


def test_a_disk_that_fills_while_copying_in(
    library: ModelLibrary, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = put_split(tmp_path / "usb" / "big.gguf", seed=4)[0]
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", failing(errno.ENOSPC))
        with pytest.raises(DiskTooSmall) as full:
            library.copy_in(outside, Work())
    assert full.value.needed_bytes > 0
    assert not [path for path in folder.rglob("*") if "big" in path.name and path.is_file()]
    copied = library.copy_in(outside, Work())
    assert copied.place == "library" and copied.sha256 and copied.problem is None
    assert library.verify(copied, Work()) == "matches"


def test_a_copy_takes_the_projector_along_and_is_not_made_twice(
    library: ModelLibrary, folder: Path, tmp_path: Path
) -> None:
    outside = put(tmp_path / "usb" / "视觉.gguf", seed=4)
    put(tmp_path / "usb" / "mmproj-视觉.gguf")
    first = library.copy_in(outside, Work())
    changed = Path(first.path).stat().st_mtime_ns
    assert library.copy_in(outside, Work()).path == first.path
    assert Path(first.path).stat().st_mtime_ns == changed
    assert sorted(path.name for path in Path(first.path).parent.iterdir()) == ["mmproj-视觉.gguf", "视觉.gguf"]
    put(outside, seed=5)
    with pytest.raises(LibraryMoveRefused):
        library.copy_in(outside, Work())
    assert only_at(library, first.path)


def only_at(library: ModelLibrary, path: str) -> bool:
    return path in [model.path for model in library.models()]


def test_nothing_is_written_where_an_unplugged_disk_would_be(
    library: ModelLibrary, folder: Path, tmp_path: Path
) -> None:
    library.models()
    outside = put(tmp_path / "one.gguf", seed=3)
    folder.rename(tmp_path / "unplugged")
    with pytest.raises(LibraryFolderGone):
        library.copy_in(outside, Work())
    folder.mkdir()  # the mount point
    with pytest.raises(LibraryFolderGone):
        library.copy_in(outside, Work())
    assert not any(folder.iterdir())


def test_two_instances_share_a_folder_and_an_index(library: ModelLibrary, files: LibraryFiles, folder: Path) -> None:
    for number in range(20):
        put(folder / "many" / f"r{number}" / f"m{number}.gguf", seed=number)
    results: list[int] = []
    other = ModelLibrary(folder, files)

    def list_often(one: ModelLibrary) -> None:
        results.extend(len(one.models()) for _ in range(5))

    threads = [threading.Thread(target=list_often, args=(one,)) for one in (library, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [21] * 20
    library.remove(next(model for model in library.models() if "m7" in model.path))
    assert len(other.models()) == 20


def test_one_who_looks_at_less_does_not_make_others_forget(files: LibraryFiles, folder: Path, tmp_path: Path) -> None:
    ollama_pull(tmp_path / ".ollama" / "models", "library/q:1b", put(tmp_path / "x.gguf").read_bytes())
    surroundings = Surroundings(environment={}, home=tmp_path, system="linux")
    wide = ModelLibrary(folder, files, lambda: places_of(("ollama",), surroundings))
    before = wide.models()
    for model in before:
        wide.verify(model, Work())
    assert len(ModelLibrary(folder, files).models()) == 1
    totals: list[int] = []
    wide.compare(Work(lambda done, total: totals.append(total)))
    assert totals == [0] and [model.sha256 != () for model in wide.models()] == [True, True]


def test_hidden_models_are_nobodys_duplicates(files: LibraryFiles, folder: Path, tmp_path: Path) -> None:
    ours = next(folder.rglob("*.gguf"))
    ollama_pull(tmp_path / ".ollama" / "models", "library/q:1b", ours.read_bytes())
    surroundings = Surroundings(environment={}, home=tmp_path, system="linux")
    library = ModelLibrary(folder, files, lambda: places_of(("ollama",), surroundings))
    library.compare(Work())
    theirs = next(model for model in library.models() if model.place == "ollama")
    assert theirs.duplicates
    library.remove(theirs)
    assert only(library).duplicates == ()


def test_the_very_same_file_by_two_ways_is_one_model(library: ModelLibrary, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(folder)
    library.add(tmp_path / "way" / "publisher" / "repo-GGUF" / "Tiny-Q8_0.gguf")
    assert only(library).place == "library"
    shutil.copy(only(library).path, tmp_path / "copy.gguf")
    library.add(tmp_path / "copy.gguf")
    assert len(library.models()) == 2
