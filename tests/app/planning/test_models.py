"""A model file is judged once while it stays as it is, also by later services."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.planning.models import LocalModels
from models_catalog.errors import ModelFileRefused
from models_catalog.plan_cache import PlanCache
from tests.tiny_models import write_tiny_llama


def test_another_service_need_not_read_the_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tiny_llama(tmp_path / "m.gguf", context=1024)
    first = LocalModels(PlanCache(tmp_path / "cache")).read(path)
    with monkeypatch.context() as patch:
        patch.setattr("app.planning.models.recent_header", lambda path: pytest.fail("the file was read again"))
        again = LocalModels(PlanCache(tmp_path / "cache")).read(path)
    assert again == first
    assert (again.name, again.quantization, again.path) == (first.name, first.quantization, str(path))


def test_a_file_that_changed_is_judged_anew(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "m.gguf", context=1024)
    models = LocalModels(PlanCache(tmp_path / "cache"))
    models.read(path)
    write_tiny_llama(path, context=2048, layers=3)
    assert models.read(path).header.trained_context_tokens == 2048
    path.write_bytes(b"no model")
    for judge in (models, LocalModels(PlanCache(tmp_path / "cache"))):
        with pytest.raises(ModelFileRefused):
            judge.read(path)


def test_another_version_judges_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tiny_llama(tmp_path / "m.gguf")
    LocalModels(PlanCache(tmp_path / "cache")).read(path)
    monkeypatch.setattr("app.planning.models.VERSION", "another")
    monkeypatch.setattr("app.planning.models.screen", lambda header: pytest.fail("screened"))
    with pytest.raises(pytest.fail.Exception):
        LocalModels(PlanCache(tmp_path / "cache")).read(path)
