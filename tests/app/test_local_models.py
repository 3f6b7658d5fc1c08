from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from app import paths
from app.local_models import FOLDER_VARIABLE, found_programs, models_folder, open_library, prepare_models_folder
from app.settings import Settings, changed, load_settings, save_settings
from models_catalog.library.elsewhere.programs import PROGRAMS
from tests.models_catalog.library.conftest import put
from tests.models_catalog.library.trees import ollama_pull


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "user"))
    for variable in (
        FOLDER_VARIABLE,
        "OLLAMA_MODELS",
        "HF_HOME",
        "HF_HUB_CACHE",
        "MODELSCOPE_CACHE",
        "JAN_DATA_FOLDER",
    ):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_the_environment_wins_over_the_setting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models_folder(Settings()) == paths.models_folder()
    chosen = dataclasses.replace(Settings(), models_folder=str(home / "disk"))
    assert models_folder(chosen) == home / "disk"
    monkeypatch.setenv(FOLDER_VARIABLE, str(home / "named"))
    assert models_folder(chosen) == home / "named"


def test_the_folder_of_an_unplugged_disk_is_not_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = dataclasses.replace(Settings(), models_folder=str(home / "disk" / "models"))
    prepare_models_folder(chosen)
    assert not (home / "disk").exists()
    monkeypatch.setenv(FOLDER_VARIABLE, str(home / "named" / "models"))
    assert prepare_models_folder(chosen).is_dir()


def test_each_program_can_be_left_out(home: Path) -> None:
    assert set(found_programs(Settings())) == set(PROGRAMS)
    for program in PROGRAMS:
        setting = f"find_{program.replace('-', '_')}"
        assert set(found_programs(changed(Settings(), {setting: False}))) == set(PROGRAMS) - {program}


def test_the_setting_counts_at_the_next_listing(home: Path) -> None:
    content = put(home / "made.gguf").read_bytes()
    ollama_pull(home / "user" / ".ollama" / "models", "library/qwen3:8b", content)
    now = [Settings()]
    library = open_library(lambda: now[0])
    assert [model.id for model in library.models() if model.place == "ollama"] == ["qwen3-8b"]
    now[0] = changed(now[0], {"find_ollama": False})
    assert [model for model in library.models() if model.place == "ollama"] == []


def test_the_settings_are_kept(home: Path) -> None:
    save_settings(home / "settings.toml", {"models_folder": str(home / "盘"), "find_jan": False})
    kept = load_settings(home / "settings.toml")
    assert (kept.models_folder, kept.find_jan, kept.find_ollama) == (str(home / "盘"), False, True)
