"""Models that come with a list of hashes are what it says, or are left out by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.errors import ModelDamaged, ModelFileMissing
from models_catalog.library.library import ModelLibrary
from models_catalog.library.listed_hashes import NAME, listed_hashes, read_list
from models_catalog.library.work import Work
from tests.models_catalog.library.conftest import put, put_split


def _list(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    folder = tmp_path / "U 盘 📦"
    put(folder / "models" / "one.gguf", seed=2)
    put_split(folder / "models" / "big.gguf", seed=3)
    (folder / "START.txt").write_text("…", encoding="utf-8")
    _list(folder)
    return folder


def test_models_are_checked_against_the_list(library: ModelLibrary, kit: Path) -> None:
    added, refused = library.add_folder(kit)
    assert sorted(model.id for model in added) == ["big", "one"] and refused == ()
    (one,) = (model for model in library.models() if model.id == "one")
    assert one.sha256 == (hashlib.sha256((kit / "models" / "one.gguf").read_bytes()).hexdigest(),)
    assert library.verify(one, Work()) == "matches"


@pytest.mark.parametrize("below", ["", "models"])
def test_what_is_damaged_or_missing_is_refused_by_name(library: ModelLibrary, kit: Path, below: str) -> None:
    one, part = kit / "models" / "one.gguf", sorted((kit / "models").glob("big-*"))[1]
    body = bytearray(one.read_bytes())
    body[-1] ^= 1
    one.write_bytes(body)
    part.unlink()
    with (kit / NAME).open("a", encoding="utf-8", newline="") as listing:
        listing.write(f"{'0' * 64} *./models/gone.gguf\r\n")
    added, refused = library.add_folder(kit / below)
    assert added == ()
    found = {Path(error.path).name: type(error) for error in refused}
    assert found == {"one.gguf": ModelDamaged, part.name: ModelFileMissing, "gone.gguf": ModelFileMissing}
    assert [model for model in library.models() if model.place == "added"] == []


def test_a_folder_without_a_list_is_taken_as_it_is(library: ModelLibrary, kit: Path) -> None:
    (kit / NAME).unlink()
    assert listed_hashes(kit) == {}
    (kit / NAME).write_bytes(b"\xff\xfe no list\n" * 3)
    added, refused = library.add_folder(kit)
    assert len(added) == 2 and refused == ()


def test_names_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    digest = "A" * 64
    names = ("a.gguf", "./b/c d.gguf", "../x.gguf", "/etc/x.gguf", "b\\..\\x.gguf", "x.txt", "b/../../x.gguf")
    (tmp_path / NAME).write_text("".join(f"{digest}  {name}\n" for name in names), encoding="utf-8")
    assert listed_hashes(tmp_path) == {tmp_path / "a.gguf": "a" * 64, tmp_path / "b" / "c d.gguf": "a" * 64}


@given(st.text(max_size=100))
def test_no_list_leads_out_of_its_folder(text: str) -> None:
    folder = Path("/kit")
    for path in read_list(f"{'0' * 64}  {text}.gguf\n{text}", folder):
        assert path.is_relative_to(folder) and ".." not in path.parts
