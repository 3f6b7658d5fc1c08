from __future__ import annotations

from pathlib import Path

import pytest

from app.planning.desk import PlanDesk
from app.service.engines.plan_maker import PlanMaker
from app.service.engines.residuals import ResidualBook
from app.service.library import match
from app.service.shelf import LocalShelf
from inference.planning.values import Limits, Wish
from models_catalog.errors import ModelFileMissing, ModelFileRefused, NotGguf
from models_catalog.library.library import LibraryFiles, ModelLibrary
from tests.tiny_models import write_tiny_qwen2


@pytest.fixture
def shelf(tmp_path: Path) -> LocalShelf:
    (tmp_path / "models").mkdir()
    files = LibraryFiles(
        index=tmp_path / "index.sqlite3", choices=tmp_path / "added.json", journal=tmp_path / "move.json"
    )
    return LocalShelf(ModelLibrary(tmp_path / "models", files))


def test_models_in_the_folder_and_added_ones(shelf: LocalShelf, tmp_path: Path) -> None:
    write_tiny_qwen2(tmp_path / "models" / "inside.gguf")
    elsewhere = tmp_path / "模型"
    elsewhere.mkdir()
    outside = write_tiny_qwen2(elsewhere / "外面.gguf", seed=1)
    assert [model.id for model in shelf.models()] == ["inside"]
    added = shelf.add(outside)
    assert added.path == str(outside) and added.architecture == "qwen2" and added.problem is None
    assert shelf.add(outside) == added
    assert {model.path for model in shelf.models()} == {str(tmp_path / "models" / "inside.gguf"), str(outside)}
    assert match(added.id, shelf.models()) == added
    outside.unlink()
    (gone,) = [model for model in shelf.models() if model.path == str(outside)]
    assert gone.problem is not None and gone.problem.code == "ModelVanished"


def test_what_cannot_be_added(shelf: LocalShelf, tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        shelf.add(tmp_path / "missing.gguf")
    (tmp_path / "text.gguf").write_text("hello there, this is text")
    with pytest.raises(NotGguf):
        shelf.add(tmp_path / "text.gguf")
    assert shelf.models() == ()


def test_a_file_that_changed_is_screened_again(shelf: LocalShelf, tmp_path: Path) -> None:
    path = write_tiny_qwen2(tmp_path / "tiny.gguf")
    shelf.add(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelFileRefused):
        shelf.add(path)


def test_a_broken_file_in_the_folder_is_listed_with_its_problem(shelf: LocalShelf, tmp_path: Path) -> None:
    (tmp_path / "models" / "bad.gguf").write_text("not a model at all")
    (model,) = shelf.models()
    assert model.problem is not None and model.problem.code == "NotGguf"


async def test_a_plan_for_a_file(shelf: LocalShelf, tmp_path: Path) -> None:
    write_tiny_qwen2(tmp_path / "models" / "tiny.gguf")
    (model,) = shelf.models()
    desk = PlanDesk(models_folder=tmp_path / "models", planning_folder=tmp_path)
    maker = PlanMaker(desk, ResidualBook(tmp_path / "residuals.json"))
    planned = await maker(model, Wish(context_tokens=512), Limits(batch_tokens=128), {})
    assert (planned.plan.model_path, planned.plan.context_tokens) == (model.path, 512)
    assert planned.plan.batch_tokens == 128
    assert planned.bill.devices[0].hard_bytes > Path(model.path).stat().st_size // 2
    Path(model.path).write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelFileRefused):
        await maker(model, Wish(), Limits(), {})
    await desk.close()
