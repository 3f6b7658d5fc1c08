"""Names of the catalogue lead to shipped plan data, or to a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import ModelMissing
from app.planning.finder import Finder
from app.planning.models import LocalModels
from models_catalog.errors import RepositoryWithoutGguf


class _Repositories:
    """In the place of the hubs: says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def resolve(self, text: str) -> tuple[()]:
        self.asked.append(text)
        return ()


@pytest.fixture
def finder(tmp_path: Path) -> Finder:
    return Finder(installed=tuple, local=LocalModels(), cache_folder=tmp_path, families_folder=tmp_path)


@pytest.mark.parametrize("name", ["qwen3-8b", "Qwen3-8B", "qwen3 8b", "通义千问 Qwen3-8B", "QWEN3_8B"])
async def test_a_name_leads_to_plan_data(finder: Finder, name: str) -> None:
    found = await finder.find(name, None)
    assert [one.quantization for one in found][:2] == ["Q2_K", "Q3_K_M"]
    (only,) = await finder.find(f"{name}:q4_k_m", None)
    model = await only.read()
    assert model.name == "qwen3-8b" and model.header.architecture == "qwen3"


async def test_a_model_of_the_same_shape_keeps_its_name(finder: Finder) -> None:
    (only,) = await finder.find("Qwen2.5-Coder-7B-Instruct:Q4_K_M", None)
    assert (await only.read()).name == "qwen2.5-coder-7b-instruct"


async def test_a_starters_own_file_is_known(finder: Finder) -> None:
    (only,) = await finder.find("qwen2.5-coder-0.5b-instruct", None)
    assert only.size_bytes == 491_400_064
    assert (await finder.find("Qwen2.5-Coder-0.5B-Instruct:q4_k_m", None))[0].quantization == "Q4_K_M"


async def test_without_plan_data_its_repository_is_asked(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    hubs = _Repositories()
    monkeypatch.setattr(finder, "_source", hubs)
    waits: list[bool] = []
    await finder.find("qwen3-vl-4b-instruct:q8_0", lambda: waits.append(True))
    await finder.find("unsloth/Qwen3-8B-GGUF:Q4_0", None)
    await finder.find("qwen3-8b:iq1_s", None)
    assert hubs.asked[0].startswith("unsloth/Qwen3-VL-4B-Instruct-GGUF:q8_0")
    assert hubs.asked[1:] == ["unsloth/Qwen3-8B-GGUF:Q4_0", "Qwen/Qwen3-8B-GGUF:iq1_s"]
    assert waits == [True]


async def test_without_files_that_is_said(finder: Finder) -> None:
    with pytest.raises(RepositoryWithoutGguf):
        await finder.find("moonlight-16b-a3b-instruct", None)
    with pytest.raises(ModelMissing):
        await finder.find("nosuchmodel", None)
