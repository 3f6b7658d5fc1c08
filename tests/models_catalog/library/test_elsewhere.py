from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from models_catalog.library.elsewhere.programs import PROGRAMS, places_of
from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.index import Index
from models_catalog.library.library import LibraryFiles, ModelLibrary
from models_catalog.library.scan import scan
from models_catalog.library.values import ModelFile
from tests.models_catalog.library.conftest import put, put_split
from tests.models_catalog.library.trees import hub_download, jan_import, ollama_pull, sha256

QWEN = "qwen2.5-0.5b-instruct-q4_k_m.gguf"


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return put(tmp_path / "made.gguf").read_bytes()


def found(home: Path, *programs: str, system: str = "linux", **environment: str) -> tuple[ModelFile, ...]:
    surroundings = Surroundings(environment=environment, home=home, system=system)
    return scan(places_of(programs or tuple(PROGRAMS), surroundings), Index(None))


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_ollama_models_have_the_names_that_ollama_shows(tmp_path: Path, content: bytes, system: str) -> None:
    blob = ollama_pull(tmp_path / ".ollama" / "models", "library/qwen3:8b", content)
    (model,) = found(tmp_path, "ollama", system=system)
    assert (model.id, model.name, model.origin, model.place) == ("qwen3-8b", "qwen3:8b", "qwen3:8b", "ollama")
    assert model.path == str(blob) and model.sha256 == (sha256(content),) and model.problem is None
    assert model.architecture == "qwen2"


def test_ollama_elsewhere_and_from_other_registries(tmp_path: Path, content: bytes) -> None:
    root = tmp_path / "大 盘" / "ollama"
    ollama_pull(root, "someone/tiny:q8", content)
    ollama_pull(root, "Qwen/Tiny-GGUF:Q4_K_M", content + b"\0" * 32, host="hf.co")
    names = [model.name for model in found(tmp_path, "ollama", OLLAMA_MODELS=str(root))]
    assert names == ["hf.co/Qwen/Tiny-GGUF:Q4_K_M", "someone/tiny:q8"]


def test_ollama_manifests_that_say_nothing_of_use_are_passed_over(tmp_path: Path, content: bytes) -> None:
    root = tmp_path / ".ollama" / "models"
    ollama_pull(root, "library/whole:latest", content)
    ollama_pull(root, "library/bloblless:latest", b"gone").unlink()
    for name, text in {
        "cut": '{"layers": [{"med',
        "list": "[]",
        "odd": '{"layers": [{"mediaType": 1}]}',
        "empty": "",
    }.items():
        manifest = root / "manifests" / "registry.ollama.ai" / "library" / name / "latest"
        manifest.parent.mkdir()
        manifest.write_text(text)
    evil = (
        '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../../../etc/passwd"}]}'
    )
    (root / "manifests" / "registry.ollama.ai" / "library" / "cut" / "evil").write_text(evil)
    assert [model.name for model in found(tmp_path, "ollama")] == ["whole:latest"]


@pytest.mark.parametrize("variable", ["", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"])
def test_the_hugging_face_cache(tmp_path: Path, content: bytes, variable: str) -> None:
    base = tmp_path / "disk" if variable else tmp_path / ".cache"
    cache = {"HF_HOME": base / "hub", "HF_HUB_CACHE": base, "HUGGINGFACE_HUB_CACHE": base}.get(
        variable, base / "huggingface" / "hub"
    )
    pointer = hub_download(cache, "Qwen/Qwen2.5-0.5B-Instruct-GGUF", QWEN, content)
    hub_download(cache, "Qwen/Qwen2.5-VL-GGUF", "mmproj-model-f16.gguf", content)
    (model,) = found(tmp_path, "huggingface", **({variable: str(base)} if variable else {}))
    assert (model.path, model.origin) == (str(pointer), "Qwen/Qwen2.5-0.5B-Instruct-GGUF")
    assert model.sha256 == (sha256(content),)


def test_a_file_of_several_commits_is_one_model_and_the_newest_names_it(tmp_path: Path, content: bytes) -> None:
    cache = tmp_path / ".cache" / "huggingface" / "hub"
    old = hub_download(cache, "a/b-GGUF", f"sub/{QWEN}", content, commit="1" * 40)
    os.utime(old.parent.parent, ns=(1, 1))
    new = hub_download(cache, "a/b-GGUF", f"sub/{QWEN}", content, commit="0" * 40)
    unfinished = hub_download(cache, "a/b-GGUF", "other.gguf", content + b"12345678", commit="0" * 40)
    unfinished.resolve().unlink()
    assert [model.path for model in found(tmp_path, "huggingface")] == [str(new)]


def test_the_modelscope_cache_old_and_new(tmp_path: Path, content: bytes) -> None:
    hub = tmp_path / ".cache" / "modelscope" / "hub"
    for number, folder in enumerate(
        ("models/Qwen/Qwen2___5-0___5B-GGUF", "Qwen/Qwen1___5-GGUF", "models/._____temp/x")
    ):
        put(hub / folder / f"m{number}.gguf", seed=number)
    hub_download(hub, "Qwen/Qwen3-GGUF", "m9.gguf", content)
    origins = {Path(model.path).name: model.origin for model in found(tmp_path, "modelscope")}
    assert origins == {
        "m0.gguf": "Qwen/Qwen2.5-0.5B-GGUF",
        "m1.gguf": "Qwen/Qwen1.5-GGUF",
        "m9.gguf": "Qwen/Qwen3-GGUF",
    }
    elsewhere = tmp_path / "ms"
    put(elsewhere / "models" / "a" / "b" / "x.gguf")
    assert [one.origin for one in found(tmp_path, "modelscope", MODELSCOPE_CACHE=str(elsewhere))] == ["a/b"]


def test_lm_studio(tmp_path: Path) -> None:
    put(tmp_path / ".lmstudio" / "models" / "lmstudio-community" / "Tiny-GGUF" / "tiny.gguf")
    put_split(tmp_path / ".lmstudio" / "models" / "someone" / "Big-GGUF" / "big.gguf", seed=3)
    models = found(tmp_path, "lm-studio")
    assert sorted(model.origin for model in models) == ["lmstudio-community/Tiny-GGUF", "someone/Big-GGUF"]
    chosen = tmp_path / "盘" / "models"
    put(chosen / "a" / "b" / "c.gguf")
    (tmp_path / ".lmstudio" / "settings.json").write_text(json.dumps({"downloadsFolder": str(chosen)}))
    assert [model.origin for model in found(tmp_path, "lm-studio")] == ["a/b"]
    (tmp_path / ".lmstudio-home-pointer").write_text(str(tmp_path / "moved") + "\n")
    put(tmp_path / "moved" / "models" / "d" / "e" / "f.gguf")
    assert [model.origin for model in found(tmp_path, "lm-studio")] == ["d/e"]


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("linux", ".local/share/Jan/data"),
        ("darwin", "Library/Application Support/Jan/data"),
        ("win32", "AppData/Roaming/Jan/data"),
    ],
)
def test_jan(tmp_path: Path, content: bytes, system: str, folder: str) -> None:
    jan_import(tmp_path / folder, "janhq/Jan-v3-4B-Q4", content)
    outside = tmp_path / "下载" / "whatever.gguf"
    outside.parent.mkdir()
    jan_import(tmp_path / folder, "mine", put(tmp_path / "m.gguf", seed=5).read_bytes(), file=str(outside))
    (tmp_path / folder / "llamacpp" / "models" / "mine" / "model.gguf.part").write_bytes(b"x")
    models = {model.name: model for model in found(tmp_path, "jan", system=system)}
    assert set(models) == {"janhq/Jan-v3-4B-Q4", "mine"}
    assert models["mine"].path == str(outside) and models["janhq/Jan-v3-4B-Q4"].sha256 == (sha256(content),)


def test_jan_tells_where_its_data_is(tmp_path: Path, content: bytes) -> None:
    jan_import(tmp_path / "moved", "a/b", content)
    settings = tmp_path / ".local" / "share" / "Jan" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"data_folder": str(tmp_path / "moved")}))
    assert [model.name for model in found(tmp_path, "jan")] == ["a/b"]
    assert found(tmp_path, "jan", JAN_DATA_FOLDER=str(tmp_path / "nowhere")) == ()


def test_programs_that_are_not_asked_for_are_not_looked_at(tmp_path: Path, content: bytes) -> None:
    ollama_pull(tmp_path / ".ollama" / "models", "library/qwen3:8b", content)
    assert found(tmp_path, "lm-studio", "jan") == ()
    assert len(found(tmp_path)) == 1


def test_files_that_cannot_be_used_are_not_shown_when_they_are_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio" / "models" / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "half.gguf").write_bytes(b"GGUF" + b"\3\0\0\0")
    assert found(tmp_path, "lm-studio") == ()


def test_nothing_is_written_to_other_programs(tmp_path: Path, files: LibraryFiles, content: bytes) -> None:
    root = tmp_path / ".ollama" / "models"
    blob = ollama_pull(root, "library/qwen3:8b", content)
    surroundings = Surroundings(environment={}, home=tmp_path, system="linux")
    library = ModelLibrary(tmp_path / "models", files, lambda: places_of(tuple(PROGRAMS), surroundings))
    before = {path: path.stat().st_mtime_ns for path in sorted(root.rglob("*"))}
    (model,) = library.models()
    removal = library.remove(model)
    assert removal.paths == () and removal.freed_bytes == 0
    assert library.models() == ()
    assert {path: path.stat().st_mtime_ns for path in sorted(root.rglob("*"))} == before
    # Adding it by hand shows it again.
    assert library.add(blob).place == "added"
