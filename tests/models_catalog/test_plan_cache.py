from __future__ import annotations

import os
from pathlib import Path

import pytest

from models_catalog.gguf.header import read_header
from models_catalog.gguf.plan_data import plan_data
from models_catalog.plan_cache import CachedPlan, PlanCache
from tests.tiny_models import write_tiny_llama


@pytest.fixture
def plan(tmp_path: Path) -> CachedPlan:
    raw = plan_data(read_header(write_tiny_llama(tmp_path / "model.gguf")))
    return CachedPlan(plan_data=raw, validator='"etag"')


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_what_is_stored_is_found_by_another_process_too(tmp_path: Path, plan: CachedPlan) -> None:
    folder = tmp_path / "plans"
    assert PlanCache(folder).find("key") is None
    PlanCache(folder).store("key", plan)
    assert PlanCache(folder).find("key") == plan
    assert PlanCache(folder).find("other") is None
    assert [path.suffix for path in entries(folder)] == [".plan"]
    assert entries(folder)[0].stat().st_size < 4000


def test_the_last_one_counts(tmp_path: Path, plan: CachedPlan) -> None:
    cache = PlanCache(tmp_path / "plans")
    cache.store("key", plan)
    newer = CachedPlan(plan_data=plan.plan_data, validator='"newer"')
    cache.store("key", newer)
    assert cache.find("key") == newer


def test_damage_is_ignored_and_mended(tmp_path: Path, plan: CachedPlan) -> None:
    cache = PlanCache(tmp_path / "plans")
    cache.store("key", plan)
    (path,) = entries(tmp_path / "plans")
    sound = path.read_bytes()
    for damaged in (b"", b"rubbish", sound[:-5], sound[:200] + b"\0\0\0\0" + sound[204:], bytes(5 * 1024 * 1024)):
        path.write_bytes(damaged)
        assert cache.find("key") is None
    cache.store("key", plan)
    assert cache.find("key") == plan


def test_an_entry_under_the_name_of_another_is_not_taken(tmp_path: Path, plan: CachedPlan) -> None:
    cache = PlanCache(tmp_path / "plans")
    cache.store("one", plan)
    (one,) = entries(tmp_path / "plans")
    cache.store("two", plan)
    two = next(path for path in entries(tmp_path / "plans") if path != one)
    two.write_bytes(one.read_bytes())
    assert cache.find("two") is None


def test_the_longest_unused_go_first(tmp_path: Path, plan: CachedPlan) -> None:
    folder = tmp_path / "plans"
    PlanCache(folder).store("measure", plan)
    size = entries(folder)[0].stat().st_size
    cache = PlanCache(folder, max_bytes=3 * size + 20)
    entries(folder)[0].unlink()
    for number, key in enumerate(("a", "b", "c")):
        cache.store(key, plan)
        newest = max(entries(folder), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number + 1, number + 1))
    assert cache.find("a") is not None  # used now, so no longer the oldest
    cache.store("d", plan)
    assert [key for key in "abcd" if cache.find(key) is not None] == ["a", "c", "d"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, plan: CachedPlan) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = PlanCache(tmp_path / "file" / "plans")
    cache.store("key", plan)
    assert cache.find("key") is None
