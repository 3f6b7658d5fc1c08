"""A library on a disk of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_catalog.library.library import LibraryFiles, ModelLibrary
from models_catalog.library.values import ModelFile
from tests.tiny_models import tiny_qwen2, write_tiny_qwen2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with one model in it, with a name that some systems have trouble with."""
    folder = tmp_path / "我的 模型 🐼"
    put(folder / "publisher" / "repo-GGUF" / "Tiny-Q8_0.gguf", seed=1)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> LibraryFiles:
    (tmp_path / "data").mkdir()
    return LibraryFiles(
        index=tmp_path / "data" / "index.sqlite3",
        choices=tmp_path / "data" / "added.json",
        journal=tmp_path / "data" / "move.json",
    )


@pytest.fixture
def library(folder: Path, files: LibraryFiles) -> ModelLibrary:
    return ModelLibrary(folder, files)


def put(path: Path, *, seed: int = 0) -> Path:
    """A sound model; equal seeds give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_tiny_qwen2(path, seed=seed)


def only(library: ModelLibrary) -> ModelFile:
    (model,) = library.models()
    return model


def put_split(path: Path, *, count: int = 3, seed: int = 0) -> tuple[Path, ...]:
    """The same model in several files; `path` is what they would be called without their numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = tiny_qwen2(seed=seed)
    names = list(whole.tensors)
    written = []
    for number in range(count):
        one = tiny_qwen2(seed=seed)
        one.metadata |= {"split.no": number, "split.count": count, "split.tensors.count": len(names)}
        one.tensors = {name: whole.tensors[name] for name in names[number::count]}
        written.append(one.write(path.with_name(f"{path.stem}-{number + 1:05}-of-{count:05}.gguf")))
    return tuple(written)
