from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from models_catalog.errors import LibraryWorkCancelled, ModelDamaged, ModelFileMissing, ModelFileTruncated, ShardMissing
from models_catalog.library.library import LibraryFiles, ModelLibrary
from models_catalog.library.values import ModelFile
from models_catalog.library.work import Work
from tests.models_catalog.library.conftest import only, put, put_split
from tests.models_catalog.library.trees import sha256


def named(library: ModelLibrary, part: str) -> ModelFile:
    (model,) = [model for model in library.models() if part in model.path]
    return model


def test_a_model_knows_its_repository(library: ModelLibrary) -> None:
    model = only(library)
    assert (model.place, model.origin, model.missing, model.sha256) == ("library", "publisher/repo-GGUF", False, ())


def test_files_that_only_go_with_a_model_are_no_models(library: ModelLibrary, folder: Path) -> None:
    for name in ("mmproj-Tiny-F16.gguf", "Tiny-mmproj-f16.gguf", "mtp-Tiny.gguf", "Tiny.imatrix.gguf"):
        put(folder / "publisher" / "repo-GGUF" / name)
    put(folder / "publisher" / "other-GGUF" / "Qwen3.6-27B-MTP-Q4_K_M.gguf")
    assert sorted(Path(model.path).name for model in library.models()) == [
        "Qwen3.6-27B-MTP-Q4_K_M.gguf",
        "Tiny-Q8_0.gguf",
    ]


def test_a_split_model_is_one(library: ModelLibrary, folder: Path) -> None:
    written = put_split(folder / "a" / "b" / "big.gguf")
    big = named(library, "big")
    assert (big.path, big.problem) == (str(written[0]), None)
    assert big.size_bytes == sum(path.stat().st_size for path in written)
    written[2].unlink()
    problem = named(library, "big").problem
    assert problem is not None and problem.code == "ShardMissing"


# ---- adding


def test_a_folder_with_all_its_models(library: ModelLibrary, tmp_path: Path) -> None:
    disk = tmp_path / "U 盘 📦"
    put(disk / "one.gguf", seed=2)
    put_split(disk / "deep" / "er" / "big.gguf", seed=3)
    (disk / "page.gguf").write_bytes(b"<!DOCTYPE html>" + b" " * 200)
    added, refused = library.add_folder(disk)
    assert sorted(model.id for model in added) == ["big", "one"]
    assert [type(error).__name__ for error in refused] == ["NotGguf"]
    assert all(model.place == "added" for model in added)
    assert len(library.models()) == 3
    # Once is enough, and the models folder's own files are no additions.
    library.add_folder(tmp_path)
    assert len(library.models()) == 3


def test_a_disk_that_is_gone_is_missing_and_comes_back(library: ModelLibrary, tmp_path: Path) -> None:
    disk = tmp_path / "usb"
    added = library.add(put(disk / "one.gguf", seed=2))
    disk.rename(tmp_path / "unplugged")
    gone = named(library, "one.gguf")
    assert gone.missing and gone.problem is not None and gone.problem.code == "ModelVanished"
    assert (gone.name, gone.size_bytes, gone.added_at) == (added.name, added.size_bytes, added.added_at)
    (tmp_path / "unplugged").rename(disk)
    assert named(library, "one.gguf") == added
    disk.rename(tmp_path / "unplugged")
    assert library.remove(named(library, "one.gguf")).paths == ()
    assert len(library.models()) == 1 and (tmp_path / "unplugged" / "one.gguf").exists()


@pytest.mark.parametrize("mount_point_stays", [True, False])
def test_a_models_folder_that_is_gone_is_missing_and_comes_back(
    library: ModelLibrary, folder: Path, mount_point_stays: bool
) -> None:
    before = library.models()
    away = folder.with_name("away")
    folder.rename(away)
    if mount_point_stays:
        folder.mkdir()
    assert [(model.path, model.missing) for model in library.models()] == [(before[0].path, True)]
    if mount_point_stays:
        folder.rmdir()
    away.rename(folder)
    assert library.models() == before


def test_files_that_the_user_deletes_are_forgotten(library: ModelLibrary, folder: Path) -> None:
    library.models()
    shutil.rmtree(folder / "publisher")
    assert library.models() == ()


def test_added_files_survive_a_lost_index(
    library: ModelLibrary, files: LibraryFiles, folder: Path, tmp_path: Path
) -> None:
    library.add(put(tmp_path / "one.gguf", seed=2))
    files.index.unlink()
    assert len(ModelLibrary(folder, files).models()) == 2


def test_the_list_of_earlier_versions_is_read(files: LibraryFiles, folder: Path, tmp_path: Path) -> None:
    outside = put(tmp_path / "one.gguf", seed=2)
    files.choices.write_text(f'["{outside}"]')
    assert len(ModelLibrary(folder, files).models()) == 2


def test_a_file_name_that_is_no_text_is_passed_over(library: ModelLibrary, folder: Path) -> None:
    odd = os.fsencode(folder) + b"/\xff\xfe.gguf"
    try:
        shutil.copy(os.fsencode(only(library).path), odd)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    assert len(library.models()) == 1


# ---- removing


def test_removing_says_what_it_frees_and_frees_it(library: ModelLibrary, folder: Path) -> None:
    written = put_split(folder / "a" / "b" / "big.gguf", seed=4)
    projector = put(folder / "a" / "b" / "mmproj-big.gguf")
    big = named(library, "big-")
    removal = library.removal(big)
    assert set(removal.paths) == {*map(str, written), str(projector)}
    assert removal.freed_bytes == big.size_bytes + projector.stat().st_size
    assert all(path.exists() for path in written)
    assert library.remove(big) == removal
    assert not (folder / "a").exists() and folder.exists()
    assert len(library.models()) == 1


def test_a_projector_stays_with_the_other_quantization(library: ModelLibrary, folder: Path) -> None:
    first = put(folder / "a" / "b" / "m-Q4.gguf", seed=4)
    put(folder / "a" / "b" / "m-Q8.gguf", seed=5)
    put(folder / "a" / "b" / "mmproj-m.gguf")
    assert library.removal(named(library, "Q4")).paths == (str(first),)


def test_bytes_with_another_name_are_not_freed(library: ModelLibrary, folder: Path, tmp_path: Path) -> None:
    model = only(library)
    os.link(model.path, tmp_path / "other name")
    assert library.removal(model).freed_bytes == 0
    library.remove(model)
    assert (tmp_path / "other name").exists()


def test_a_link_is_removed_and_what_it_points_to_stays(library: ModelLibrary, folder: Path, tmp_path: Path) -> None:
    outside = put(tmp_path / "outside.gguf", seed=6)
    (folder / "linked.gguf").symlink_to(outside)
    model = named(library, "linked")
    assert library.removal(model).freed_bytes == 0
    library.remove(model)
    assert outside.exists() and not (folder / "linked.gguf").is_symlink()


def test_added_files_are_only_taken_from_the_list(library: ModelLibrary, tmp_path: Path) -> None:
    added = library.add(put(tmp_path / "one.gguf", seed=2))
    assert library.remove(added).paths == ()
    assert (tmp_path / "one.gguf").exists() and len(library.models()) == 1


# ---- checking


def test_verifying_remembers_what_was_found(library: ModelLibrary, files: LibraryFiles) -> None:
    progress: list[tuple[int, int]] = []
    model = only(library)
    assert library.verify(model, Work(lambda done, total: progress.append((done, total)))) == "sound"
    assert progress[-1] == (model.size_bytes, model.size_bytes)
    assert only(library).sha256 == (sha256(Path(model.path).read_bytes()),)
    assert library.verify(model, Work()) == "unchanged"


def test_a_flipped_bit_is_found(library: ModelLibrary) -> None:
    model = only(library)
    library.remember({Path(model.path): sha256(Path(model.path).read_bytes())})
    assert only(library).added_at > model.added_at and only(library).sha256
    assert library.verify(model, Work()) == "matches"
    content = bytearray(Path(model.path).read_bytes())
    content[-5] ^= 1
    status = Path(model.path).stat()
    Path(model.path).write_bytes(content)
    os.utime(model.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(ModelDamaged) as damaged:
        library.verify(model, Work())
    assert damaged.value.sha256 == sha256(bytes(content))


def test_a_file_that_was_replaced_on_purpose_is_not_damaged(library: ModelLibrary) -> None:
    model = only(library)
    library.verify(model, Work())
    put(Path(model.path), seed=77)
    os.utime(model.path, ns=(5, 5))
    assert library.verify(only(library), Work()) == "sound"


def test_what_is_not_whole_fails_the_check(library: ModelLibrary, folder: Path) -> None:
    model = only(library)
    with Path(model.path).open("r+b") as file:
        file.truncate(model.size_bytes - 1000)
    with pytest.raises(ModelFileTruncated):
        library.verify(model, Work())
    Path(model.path).unlink()
    with pytest.raises(ModelFileMissing):
        library.verify(model, Work())
    written = put_split(folder / "big.gguf")
    big = named(library, "big")
    assert library.verify(big, Work()) == "sound"
    written[1].unlink()
    with pytest.raises(ShardMissing):
        library.verify(big, Work())


def test_checking_can_be_stopped(library: ModelLibrary) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(LibraryWorkCancelled):
        library.verify(only(library), Work(cancelled=cancelled))
    assert only(library).sha256 == ()


# ---- duplicates


def test_duplicates_are_told_by_size_then_by_hash(library: ModelLibrary, folder: Path, tmp_path: Path) -> None:
    same = Path(shutil.copy(only(library).path, tmp_path / "同.gguf"))
    library.add(same)
    put(folder / "x" / "y" / "other.gguf", seed=9)
    first, other, copy = named(library, "Tiny"), named(library, "other"), named(library, "同")
    assert first.size_bytes == other.size_bytes == copy.size_bytes
    assert first.duplicates == () and set(first.maybe_duplicates) == {other.id, copy.id}
    library.compare(Work())
    first, other, copy = named(library, "Tiny"), named(library, "other"), named(library, "同")
    assert first.duplicates == (copy.id,) and copy.duplicates == (first.id,) and other.duplicates == ()
    assert first.maybe_duplicates == ()


def test_no_hash_is_computed_twice(library: ModelLibrary, tmp_path: Path) -> None:
    library.add(Path(shutil.copy(only(library).path, tmp_path / "copy.gguf")))
    totals: list[int] = []
    library.compare(Work(lambda done, total: totals.append(total)))
    library.compare(Work(lambda done, total: totals.append(total)))
    assert totals[0] > 0 and totals[-1] == 0
