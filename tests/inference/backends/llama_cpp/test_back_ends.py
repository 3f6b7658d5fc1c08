"""Which back ends are loaded where each is a library of its own. A stand-in plays ggml; libraries are empty files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inference.backends.llama_cpp import back_ends
from inference.backends.llama_cpp.back_ends import (
    BackEnds,
    card_libraries,
    cpu_variants,
    load_back_ends,
    variant_library,
)

SCORES = {"x64": 1, "haswell": 60, "zen4": 2000, "sapphirerapids": 0}


class Ggml:
    """Notes what it is asked to load; refuses what is named as broken."""

    def __init__(self, *, devices: int = 0, broken: tuple[str, ...] = ()) -> None:
        self.devices, self.broken = devices, broken
        self.loaded: list[str] = []

    def ggml_backend_dev_count(self) -> int:
        return self.devices

    def ggml_backend_load(self, path: bytes) -> int | None:
        name = Path(os.fsdecode(path)).name
        if any(part in name for part in self.broken):
            return None
        self.loaded.append(name)
        return 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("base.so.0", "vulkan.so", *(f"cpu-{variant}.so" for variant in SCORES)):
        (tmp_path / f"libggml-{name}").touch()
    for name in ("libggml.so.0", "libllama.so.0", "README.md"):
        (tmp_path / name).touch()
    monkeypatch.setattr(back_ends, "_score", lambda path: SCORES[path.name[len("libggml-cpu-") : -len(".so")]])
    return tmp_path


def test_the_best_variant_that_runs_here_is_taken_and_every_card(folder: Path) -> None:
    ggml = Ggml()
    found = load_back_ends(ggml, folder, {})
    assert found == BackEnds(separate=True, cpu_variant="zen4", loaded=("libggml-vulkan.so",))
    assert ggml.loaded == ["libggml-cpu-zen4.so", "libggml-vulkan.so"]


def test_a_library_that_cannot_be_loaded_leaves_the_next_best(folder: Path) -> None:
    found = load_back_ends(Ggml(broken=("zen4", "vulkan")), folder, {})
    assert found == BackEnds(separate=True, cpu_variant="haswell", failed=("libggml-cpu-zen4.so", "libggml-vulkan.so"))


def test_the_safe_variant_is_the_plainest_that_runs(folder: Path) -> None:
    assert load_back_ends(Ggml(), folder, {"LIANGLI_CPU_VARIANT": "safe"}).cpu_variant == "x64"


@pytest.mark.parametrize(("wanted", "taken"), [("haswell", "haswell"), ("sapphirerapids", "zen4"), ("none", "zen4")])
def test_a_named_variant_is_taken_if_it_runs_here(folder: Path, wanted: str, taken: str) -> None:
    assert load_back_ends(Ggml(), folder, {"LIANGLI_CPU_VARIANT": wanted}).cpu_variant == taken


def test_without_cards_no_driver_is_touched(folder: Path) -> None:
    assert load_back_ends(Ggml(), folder, {"LIANGLI_BACK_ENDS": "cpu"}) == BackEnds(separate=True, cpu_variant="zen4")


def test_built_in_back_ends_are_all_there_is(folder: Path) -> None:
    ggml = Ggml(devices=1)
    assert load_back_ends(ggml, folder, {}) == BackEnds()
    assert ggml.loaded == []


def test_a_pack_brings_its_card_and_takes_the_place_of_the_same_kind(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pack = tmp_path_factory.mktemp("pack")
    for name in ("libggml-cuda.so", "libggml-vulkan.so", "libcudart.so.12"):
        (pack / name).touch()
    assert card_libraries([pack, folder]) == [pack / "libggml-cuda.so", pack / "libggml-vulkan.so"]
    found = load_back_ends(Ggml(), folder, {"LIANGLI_ENGINE_PACKS": f"{pack}{os.pathsep}{folder / 'gone'}"})
    assert found.loaded == ("libggml-cuda.so", "libggml-vulkan.so")


def test_the_file_of_a_variant(folder: Path) -> None:
    assert variant_library(folder, "zen4") == folder / "libggml-cpu-zen4.so"
    assert variant_library(folder, "") is None


def test_names_of_other_systems(tmp_path: Path) -> None:
    for name in ("ggml-cpu-haswell.dll", "ggml-base.dll", "ggml.dll", "ggml-cuda.dll"):
        (tmp_path / name).touch()
    assert [path.name for path in card_libraries([tmp_path])] == ["ggml-cuda.dll"]
    variants = cpu_variants(tmp_path)
    assert [(variant.name, variant.score) for variant in variants] == [("haswell", 0)], "an empty file is no library"
