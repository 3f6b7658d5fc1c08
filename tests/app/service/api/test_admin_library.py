"""Long work on model files over HTTP: begun, seen, cancelled, refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models_catalog.library.work import Work
from tests.app.service.fakes import FakeWorld, Running, model, until


class SlowShelf:
    """Takes as long as the test wants it to."""

    def __init__(self, world: FakeWorld) -> None:
        self.world = world
        self.going = threading.Event()
        self.go_on = threading.Event()

    def verify(self, model_id: str, work: Work) -> str:
        self._go(work)
        return "matches"

    def move(self, folder: Path, switch: Callable[[Path], None], work: Work) -> tuple[str, ...]:
        self._go(work)
        switch(folder)
        return ("/models/left.gguf",)

    def _go(self, work: Work) -> None:
        work.expect(100)
        self.going.set()
        for _ in range(500):
            if self.go_on.wait(0.01):
                break
            work.check()
        work.advance(100)


@pytest.fixture
def slow(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> SlowShelf:
    shelf = SlowShelf(world)
    monkeypatch.setattr(world, "verify", shelf.verify)
    monkeypatch.setattr(world, "move", shelf.move)
    return shelf


async def refused(running: Running, method: str, path: str, body: Any = None) -> tuple[int, str]:
    reply = await running.http.request(method, f"/liangli/v1{path}", json=body)
    return reply.status_code, reply.json()["error"]["code"]


async def test_a_check_is_begun_once_seen_and_done(running: Running, slow: SlowShelf) -> None:
    async with running.events() as events:
        begun = await running.ask("POST", "/models/qwen-small/verify")
        assert (begun["kind"], begun["model"], begun["state"]) == ("verify", "qwen-small", "running")
        assert (await running.ask("POST", "/models/qwen-small/verify"))["key"] == begun["key"]
        slow.go_on.set()
        ended = await until(events, "library_work", state="done")
    assert (ended["verdict"], ended["done_bytes"], ended["total_bytes"]) == ("matches", 100, 100)
    assert [work["state"] for work in await running.ask("GET", "/library/work")] == ["done"]
    assert await refused(running, "POST", "/models/nothing/verify") == (404, "ModelMissing")


async def test_a_check_can_be_cancelled(running: Running, slow: SlowShelf) -> None:
    begun = await running.ask("POST", "/models/qwen-small/verify")
    await asyncio.to_thread(slow.going.wait, 5)
    await running.ask("POST", "/library/cancel", {"key": begun["key"]})
    await running.ask("POST", "/library/cancel", {"key": "nothing"})
    assert [work["state"] for work in await running.ask("GET", "/library/work")] == ["cancelled"]


async def test_while_models_move_nothing_else_touches_them(running: Running, slow: SlowShelf, tmp_path: Path) -> None:
    assert await refused(running, "POST", "/library/move", {"folder": "relative"}) == (400, "BadRequest")
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    assert await refused(running, "POST", "/library/move", {"folder": str(tmp_path)}) == (409, "ModelInUse")
    await running.ask("POST", "/engines/unload", {"model": "qwen-small"})
    async with running.events() as events:
        await running.ask("POST", "/library/move", {"folder": str(tmp_path)})
        assert await refused(running, "DELETE", "/models/qwen-small") == (409, "LibraryBusy")
        assert await refused(running, "POST", "/models/qwen-small/verify") == (409, "LibraryBusy")
        assert await refused(running, "POST", "/library/move", {"folder": str(tmp_path)}) == (409, "LibraryBusy")
        # What was loaded meanwhile is unloaded before its file goes away.
        await running.ask("POST", "/engines/load", {"model": "qwen-small"})
        slow.go_on.set()
        ended = await until(events, "library_work", state="done")
    assert ended["left"] == ["/models/left.gguf"]
    assert (await running.ask("GET", "/settings"))["models_folder"] == str(tmp_path)
    assert running.world.engines[-1].closed


async def test_a_loaded_model_is_not_removed(running: Running) -> None:
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    assert await refused(running, "DELETE", "/models/qwen-small") == (409, "ModelInUse")
    await running.ask("POST", "/engines/unload", {"model": "qwen-small"})
    assert await running.ask("DELETE", "/models/qwen-small") == {"paths": [], "freed_bytes": 0}
    assert await running.ask("GET", "/models") == []


async def test_a_model_of_another_program_is_not_the_default_while_there_is_our_own(running: Running) -> None:
    theirs = replace(model("qwen3-8b", added_at=99.0), place="ollama")
    running.world.shelf_models = [model("qwen-small"), theirs]
    assert (await running.service.library.default()).id == "qwen-small"
    running.world.shelf_models = [theirs]
    assert (await running.service.library.default()).id == "qwen3-8b"
    assert (await running.ask("GET", "/models"))[0]["place"] == "ollama"


async def test_paths_must_be_absolute_and_folders_hold_models(running: Running, tmp_path: Path) -> None:
    for route in ("/models/import", "/models/import/folder", "/models/import/copy"):
        assert await refused(running, "POST", route, {"path": "here.gguf"}) == (400, "BadRequest")
    assert await refused(running, "POST", "/models/import/folder", {"path": str(tmp_path)}) == (
        404,
        "FolderWithoutModels",
    )
