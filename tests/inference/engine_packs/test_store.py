"""Adding, checking and removing; whatever is wrong with an archive, nothing is changed."""

from __future__ import annotations

import lzma
import random
import sys
import tarfile
from pathlib import Path

import pytest

from inference.engine_packs.errors import PackMissing, PackRefused, PackUnwritable
from inference.engine_packs.store import Fitting, PackStore, broken_files
from tests.inference.engine_packs.archives import manifest_bytes, pack, write_archive

FILES = {"libggml-vulkan.so": b"vulkan" * 2000, "licences/LICENSE.txt": b"MIT"}
HERE = Fitting(system="linux-x86_64", ggml="0.25.3")
ENGINE = {"llama_cpp/__init__.py": b"", "llama_cpp/lib/libggml.so.0": b"library"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "数据 home"


def test_a_pack_is_added_checked_and_removed(tmp_path: Path, home: Path) -> None:
    store = PackStore(home)
    added = store.add(pack(tmp_path / "a.tar.xz", FILES), HERE)
    assert added.folder == home / "engine_packs" / "0.25.3" / "vulkan"
    assert (added.folder / "libggml-vulkan.so").read_bytes() == FILES["libggml-vulkan.so"]
    assert store.installed() == [added] == [store.find("vulkan", "0.25.3")]
    assert not list(broken_files(added.folder, added.manifest))
    (added.folder / "libggml-vulkan.so").write_bytes(b"other")
    assert list(broken_files(added.folder, added.manifest)) == ["libggml-vulkan.so"]
    assert store.remove("vulkan") == [added]
    assert store.installed() == [] and not added.folder.exists()
    with pytest.raises(PackMissing):
        store.remove("vulkan")


def test_one_of_the_same_name_is_replaced_as_a_whole(tmp_path: Path, home: Path) -> None:
    store = PackStore(home)
    store.add(pack(tmp_path / "a.tar.xz", FILES), HERE)
    added = store.add(pack(tmp_path / "b.tar.xz", {"libggml-vulkan.so": b"new"}), HERE)
    assert sorted(path.name for path in added.folder.iterdir()) == ["libggml-vulkan.so", "manifest.json"]
    assert [path.name for path in (home / "engines").iterdir()] == []


def test_an_engine_gets_the_links_that_its_binding_needs(tmp_path: Path, home: Path) -> None:
    archive = pack(tmp_path / "e.tar.xz", ENGINE, kind="engine", name="llama-cpp-python", version="0.3.36+2")
    added = PackStore(home).add(archive, HERE)
    assert added.name == "llama-cpp-python-0.3.36+2" and added.folder == home / "engines" / added.name
    if sys.platform == "linux":
        assert (added.folder / "llama_cpp/lib/libggml.so").readlink() == Path("libggml.so.0")


@pytest.mark.parametrize(
    ("facts", "fitting", "reason"),
    [
        ({"system": "windows-amd64"}, HERE, "system"),
        ({"ggml": "0.25.4"}, HERE, "ggml"),
        ({}, Fitting(system="linux-x86_64", ggml=""), "fixed"),
        ({"kind": "engine", "version": "0.3.37"}, HERE, "version"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, home: Path, facts: dict[str, str], fitting: Fitting, reason: str
) -> None:
    with pytest.raises(PackRefused) as caught:
        PackStore(home).add(pack(tmp_path / "a.tar.xz", FILES, **facts), fitting)
    assert caught.value.reason == reason
    assert PackStore(home).installed() == []


def _link(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("libggml-vulkan.so")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def _bad(case: str, path: Path) -> Path:
    manifest = ("manifest.json", manifest_bytes(FILES))
    good = list(FILES.items())
    match case:
        case "altered":
            return write_archive(path, [manifest, (good[0][0], b"Vulkan" * 2000), good[1]])
        case "longer":
            return write_archive(path, [manifest, (good[0][0], good[0][1] + b"x"), good[1]])
        case "missing":
            return write_archive(path, [manifest, good[0]])
        case "extra":
            return write_archive(path, [manifest, *good, ("extra.so", b"x")])
        case "twice":
            return write_archive(path, [manifest, *good, good[0]])
        case "outside":
            return write_archive(path, [manifest, *good, ("../../outside", b"x")])
        case "link" | "hard link" | "device":
            kind = {"link": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE, "device": tarfile.CHRTYPE}[case]
            return write_archive(path, [manifest, _link(kind), *good])
        case "no manifest":
            return write_archive(path, good)
        case "manifest last":
            return write_archive(path, [*good, manifest])
        case "cut":
            whole = write_archive(path, [manifest, *good]).read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        case "more":
            write_archive(path, [manifest, *good], after=b"more")
        case "no archive":
            path.write_bytes(b"GGUF" * 100)
        case "empty":
            path.write_bytes(b"")
        case "zeros":
            path.write_bytes(lzma.compress(bytes(40 << 20), preset=0))
    return path


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        *(("altered", "content"), ("longer", "content"), ("missing", "content"), ("extra", "content")),
        *(("twice", "content"), ("outside", "content"), ("link", "format"), ("hard link", "format")),
        *(("device", "format"), ("no manifest", "format"), ("manifest last", "format"), ("cut", "format")),
        *(("more", "format"), ("no archive", "format"), ("empty", "format"), ("zeros", "format")),
    ],
)
def test_a_bad_archive_changes_nothing(tmp_path: Path, home: Path, case: str, reason: str) -> None:
    store = PackStore(home)
    kept = store.add(pack(tmp_path / "good.tar.xz", FILES), HERE)
    with pytest.raises(PackRefused) as caught:
        store.add(_bad(case, tmp_path / "bad.tar.xz"), HERE)
    assert caught.value.reason == reason
    assert store.installed() == [kept] and not list(broken_files(kept.folder, kept.manifest))
    assert list((home / "engines").iterdir()) == [] and not (tmp_path / "outside").exists()


def test_bytes_turned_over_anywhere_are_noticed(tmp_path: Path, home: Path) -> None:
    whole = pack(tmp_path / "a.tar.xz", FILES).read_bytes()
    chance = random.Random(7)
    for _ in range(60):
        bad = bytearray(whole)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        (tmp_path / "b.tar.xz").write_bytes(bad)
        with pytest.raises(PackRefused):
            PackStore(home).add(tmp_path / "b.tar.xz", HERE)


def test_more_than_the_disk_has_is_not_begun(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1 << 20})())
    with pytest.raises(PackUnwritable):
        PackStore(home).add(pack(tmp_path / "a.tar.xz", FILES), HERE)


def test_a_folder_that_is_not_what_it_says_is_left_out(tmp_path: Path, home: Path) -> None:
    store = PackStore(home)
    added = store.add(pack(tmp_path / "a.tar.xz", FILES), HERE)
    added.folder.rename(added.folder.with_name("cuda"))
    assert store.installed() == []
