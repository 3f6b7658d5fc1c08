"""Engines are started as chosen: after cards were tried, and once more where the processor would not have it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.engine_choice.choice import EngineChoice
from app.service.engine_choice import ChosenEngine
from app.service.kept_settings import KeptSettings
from app.settings import Settings
from inference.engine_report import EngineReport
from inference.errors import EngineDied, EngineDiedLoading
from inference.values import LoadPlan

PLAN = LoadPlan(model_path="m.gguf", context_tokens=64, sequences=1, batch_tokens=64, decode_threads=1, batch_threads=1)


def _died(**facts: Any) -> EngineDiedLoading:
    usual = {"cause": "segfault", "detail": "", "exit_code": None, "signal": None}
    return EngineDiedLoading(path="m.gguf", **{**usual, **facts})


class Running:
    pid = 1

    def __init__(self) -> None:
        self.death: asyncio.Future[EngineDied] = asyncio.get_running_loop().create_future()

    async def wait_dead(self) -> EngineDied:
        return await self.death


class Starter:
    """Notes the variables that a child would inherit; ends as it is told to."""

    def __init__(self, environment: dict[str, str], *ends: Exception | None) -> None:
        self._environment, self._ends = environment, list(ends)
        self.started: list[dict[str, str]] = []
        self.prepared = 0

    def prepare(self) -> None:
        self.prepared += 1

    def let_go(self) -> None: ...

    async def __call__(self, plan: LoadPlan, **_: Any) -> Running:
        self.started.append(dict(self._environment))
        end = self._ends.pop(0) if self._ends else None
        if end is not None:
            raise end
        return Running()


def _made(
    tmp_path: Path, *ends: Exception | None, vulkan: bool = False, answer: EngineReport | None = None
) -> tuple[ChosenEngine, Starter]:
    libraries = tmp_path / "engine" / "llama_cpp" / "lib"
    libraries.mkdir(parents=True)
    (libraries / "libggml-cpu-x64.so").touch()
    if vulkan:
        (libraries / "libggml-vulkan.so").touch()
    environment = {"LIANGLI_ENGINE": str(tmp_path / "engine")}
    choice = EngineChoice(tmp_path, environment=environment, ask=lambda _: answer or EngineReport())
    starter = Starter(environment, *ends)
    return ChosenEngine(starter, choice, Settings()), starter  # type: ignore[arg-type]


async def test_where_nothing_is_to_be_tried_a_child_is_ready_at_once(tmp_path: Path) -> None:
    engine, starter = _made(tmp_path)
    engine.prepare()
    await engine(PLAN)
    assert starter.prepared == 1 and "LIANGLI_BACK_ENDS" not in starter.started[0]
    await engine.close()


@pytest.mark.parametrize(("ending", "cards"), [("done", True), ("failed", False), ("hangs", False)])
async def test_a_load_waits_until_cards_were_tried(tmp_path: Path, ending: Any, cards: bool) -> None:
    engine, starter = _made(tmp_path, vulkan=True, answer=EngineReport(ending=ending))
    engine.prepare()
    assert starter.prepared == 0
    await engine(PLAN)
    assert ("LIANGLI_BACK_ENDS" not in starter.started[0]) == cards
    assert bool(engine.choice.issues()) != cards
    await engine.close()


@pytest.mark.parametrize("facts", [{"signal": 4}, {"exit_code": 0xC000001D}])
async def test_after_an_unknown_instruction_the_plainest_variant_is_tried_once(
    tmp_path: Path, facts: dict[str, int]
) -> None:
    engine, starter = _made(tmp_path, _died(**facts))
    await engine(PLAN)
    assert [one.get("LIANGLI_CPU_VARIANT") for one in starter.started] == [None, "safe"]
    assert [issue.advice for issue in engine.choice.issues()] == ["plain_variant"]
    await engine.close()


async def test_it_is_not_tried_twice(tmp_path: Path) -> None:
    engine, starter = _made(tmp_path, _died(signal=4), _died(signal=4), _died(signal=4))
    for _ in range(2):
        with pytest.raises(EngineDiedLoading):
            await engine(PLAN)
    assert len(starter.started) == 3


async def test_another_death_is_left_to_those_who_know_about_it(tmp_path: Path) -> None:
    engine, starter = _made(tmp_path, _died(signal=11))
    with pytest.raises(EngineDiedLoading):
        await engine(PLAN)
    assert len(starter.started) == 1 and engine.choice.issues() == ()


async def test_an_unknown_instruction_at_work_counts_for_the_successor(tmp_path: Path) -> None:
    engine, starter = _made(tmp_path)
    running: Any = await engine(PLAN)
    running.death.set_result(EngineDied(cause="segfault", detail="SIGILL", exit_code=None, signal=4))
    for _ in range(5):
        await asyncio.sleep(0)
    assert engine.choice.plain_only
    await engine(PLAN)
    assert starter.started[1]["LIANGLI_CPU_VARIANT"] == "safe"
    await engine.close()


async def test_new_settings_hold_for_the_next_load(tmp_path: Path) -> None:
    engine, starter = _made(tmp_path)
    changes: list[str] = []

    async def changed() -> None:
        changes.append("changed")

    settings = KeptSettings(tmp_path / "settings.toml")
    engine.follow(settings, changed)
    await settings.change({"theme": "dark"})
    assert changes == []
    await settings.change({"cpu_variant": "safe"})
    assert changes == ["changed"]
    await engine(PLAN)
    assert starter.started[0]["LIANGLI_CPU_VARIANT"] == "safe"
    await engine.close()
