from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.library.describe import model_id
from models_catalog.library.elsewhere.ollama import ollama
from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.files import is_companion, is_model, parts, stem

NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", True),
        ("模型 🐼.GGUF", True),
        ("big-00001-of-00003.gguf", True),
        ("big-00002-of-00003.gguf", False),
        ("mmproj-Qwen2.5-VL-7B-f16.gguf", False),
        ("Qwen2.5-VL-7B.mmproj-q8_0.gguf", False),
        ("mtp-GLM-5.gguf", False),
        ("Qwen3.6-27B-MTP-Q4_K_M.gguf", True),
        ("Qwen3-8B.imatrix.gguf", False),
        (".half.gguf", False),
        ("Qwen3-8B.gguf.part", False),
        ("model.safetensors", False),
    ],
)
def test_names(name: str, model: bool) -> None:
    assert is_model(Path("/x", name)) == model


@given(NAMES, st.integers(1, 40))
def test_the_parts_of_a_model_are_as_many_as_its_name_says(name: str, count: int) -> None:
    path = Path("/x", f"m{name}-00001-of-{count:05}.gguf")
    files = parts(path)
    assert files[0] == path and len(set(files)) == count
    assert stem(path) == f"m{name}" and {file.parent for file in files} == {Path("/x")}
    assert [is_model(file) for file in files] == [not is_companion(path), *[False] * (count - 1)]


@given(NAMES)
def test_an_id_is_one_part_of_an_address(name: str) -> None:
    found = model_id(name)
    assert found and not set(found) & set("/?#% \\") and model_id(found) == found


@given(st.binary(max_size=200))
def test_no_manifest_whatever_is_in_it_stops_the_search(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    home = tmp_path_factory.mktemp("home")
    manifest = home / ".ollama" / "models" / "manifests" / "host" / "library" / "m" / "latest"
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(content)
    (place, *_) = ollama(Surroundings(environment={}, home=home, system="darwin"))
    assert list(place.find(place.root)) == []
