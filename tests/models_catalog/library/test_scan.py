from __future__ import annotations

import os
from pathlib import Path

import pytest

from models_catalog.gguf.header import GgufHeader, read_header
from models_catalog.library.scan import list_models
from tests.tiny_models import tiny_llama


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A models folder with one sound model."""
    folder = tmp_path / "models"
    put(folder / "publisher" / "repo" / "Tiny-Llama-F32.gguf")
    return folder


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tiny_llama().write(path)
    return path


def test_a_model_is_listed_with_what_its_header_says(shelf: Path) -> None:
    (model,) = list_models([shelf])
    assert (model.id, model.architecture, model.problem) == ("tiny-llama-f32", "llama", None)
    assert Path(model.path) == shelf / "publisher" / "repo" / "Tiny-Llama-F32.gguf"
    assert model.size_bytes == Path(model.path).stat().st_size
    assert model.trained_context_tokens > 0


def test_projectors_unfinished_files_and_other_files_are_no_models(shelf: Path) -> None:
    folder = shelf / "publisher" / "repo"
    put(folder / "mmproj-model-f16.gguf")
    put(folder / ".model.gguf.partial" / "bytes.gguf")
    (folder / "readme.txt").write_text("GGUF")
    assert len(list_models([shelf])) == 1


def test_a_file_that_cannot_be_read_is_listed_with_its_problem(shelf: Path) -> None:
    (shelf / "坏的模型.gguf").write_bytes(b"<!DOCTYPE html>" + b"x" * 100)
    broken = next(model for model in list_models([shelf]) if model.problem)
    assert broken.problem is not None
    assert (broken.id, broken.problem.code) == ("坏的模型", "NotGguf")
    assert broken.problem.fields["path"] == str(shelf / "坏的模型.gguf")


def test_files_may_be_named_directly_and_count_once(shelf: Path, tmp_path: Path) -> None:
    elsewhere = put(tmp_path / "downloads" / "other.gguf")
    models = list_models([shelf, elsewhere, elsewhere, shelf / "gone", tmp_path / "gone.gguf"])
    assert [model.id for model in models if model.path == str(elsewhere)] == ["other"]
    assert len(models) == 2


def test_two_files_of_one_name_have_two_ids_that_stay(shelf: Path) -> None:
    put(shelf / "second" / "Tiny-Llama-F32.gguf")
    first = {model.path: model.id for model in list_models([shelf])}
    assert len(set(first.values())) == 2
    assert "tiny-llama-f32" in first.values()
    put(shelf / "third" / "another.gguf")
    assert first.items() <= {model.path: model.id for model in list_models([shelf])}.items()


def test_a_model_in_several_files_is_one(shelf: Path) -> None:
    path = put(shelf / "big-00001-of-00002.gguf")
    put(shelf / "big-00002-of-00002.gguf")
    (big,) = [model for model in list_models([shelf]) if model.id.startswith("big")]
    assert (big.id, big.path, big.size_bytes) == ("big", str(path), 2 * path.stat().st_size)


def test_headers_are_read_again_only_when_the_file_changes(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Path] = []

    def counted(path: Path) -> GgufHeader:
        reads.append(path)
        return read_header(path)

    monkeypatch.setattr("models_catalog.library.describe.recent_header", counted)
    cache = tmp_path / "data" / "library.json"
    first = list_models([shelf], cache_file=cache)
    assert list_models([shelf], cache_file=cache) == first
    assert len(reads) == 1
    os.utime(first[0].path, ns=(1, 1))
    assert list_models([shelf], cache_file=cache)[0].added_at != first[0].added_at
    assert len(reads) == 2


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\x00", b'{"format": 99, "files": {}}'])
def test_a_damaged_cache_is_made_anew(shelf: Path, tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "library.json"
    expected = list_models([shelf], cache_file=cache)
    cache.write_bytes(damage)
    assert list_models([shelf], cache_file=cache) == expected
    assert cache.stat().st_size > 30


def test_a_problem_survives_the_cache(shelf: Path, tmp_path: Path) -> None:
    (shelf / "bad.gguf").write_bytes(b"")
    cache = tmp_path / "library.json"
    assert list_models([shelf], cache_file=cache) == list_models([shelf], cache_file=cache)
