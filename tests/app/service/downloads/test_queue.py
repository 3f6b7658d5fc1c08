from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.download_hours import parse_hours
from app.errors import DownloadMissing
from app.service.downloads.queue import Downloads
from app.service.events import EventBus
from app.settings import Settings
from models_catalog.download.resolve import Candidate
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.values import DownloadProgress, FileToFetch, ModelToFetch
from models_catalog.errors import FetchCancelled, NoSourceWorked, RemoteClosed


def candidate(name: str, quantization: str = "Q4_K_M") -> Candidate:
    file = FileToFetch(place=("a", name, f"{quantization}.gguf"), sources=(), size_bytes=100, sha256=None)
    return Candidate(quantization=quantization, size_bytes=100, model=ModelToFetch(name=name, files=(file,)))


class World:
    """Hubs and downloads that do as the test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings()
        self.now = datetime(2026, 5, 1, 12, 0)
        self.running: list[str] = []
        self.ends: dict[str, Exception | None] = {}
        self.discarded: list[str] = []
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.caps: list[SpeedCap] = []
        self.folders: list[Path] = []

    async def find(self, text: str, sources: Sequence[str], endpoints: Mapping[str, str]) -> tuple[Candidate, ...]:
        self.asked.append((text, endpoints))
        if text == "nothing":
            raise RemoteClosed(text)
        name, _, quantization = text.partition(":")
        found = (candidate(name, "Q2_K"), candidate(name), candidate(name, "Q8_0"))
        return tuple(one for one in found if one.quantization == quantization) or found

    def download(
        self,
        model: ModelToFetch,
        models_folder: Path,
        *,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
        cap: SpeedCap,
        proxies: Mapping[str, str],
    ) -> tuple[Path, ...]:
        self.running.append(model.name)
        self.caps.append(cap)
        self.folders.append(models_folder)
        progress(DownloadProgress(state="transferring", received_bytes=50, total_bytes=100, bytes_per_second=5.0))
        while model.name not in self.ends:
            if cancelled.wait(0.002):
                self.running.remove(model.name)
                raise FetchCancelled(file=model.name)
        self.running.remove(model.name)
        if error := self.ends[model.name]:
            raise error
        return (models_folder / model.name,)

    async def best(self, text: str) -> str:
        return "q4_k_m"

    @asynccontextmanager
    async def queue(self) -> AsyncIterator[Downloads]:
        queue = Downloads(
            models_folder=lambda: self.folder,
            queue_file=self.folder / "downloads.json",
            settings=lambda: self.settings,
            events=EventBus(),
            find=self.find,
            download=self.download,
            discard=lambda model, folder: self.discarded.append(model.name),
            best=self.best,
            clock=lambda: self.now,
        )
        await queue.open()
        try:
            yield queue
        finally:
            await queue.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("app.service.downloads.queue._TICK_SECONDS", 0.01)
    return World(tmp_path)


async def until(what: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not what():  # noqa: ASYNC110  the queue tells nobody when it has done so
            await asyncio.sleep(0.002)


def states(queue: Downloads) -> dict[str, str]:
    return {one.name: one.state for one in queue.statuses()}


async def test_one_at_a_time_in_order_with_the_best_quantization(world: World) -> None:
    async with world.queue() as queue:
        first = await queue.add("one")
        await queue.add("two:Q8_0")
        assert (first.quantization, first.total_bytes) == ("Q4_K_M", 100)
        await until(lambda: states(queue) == {"one": "transferring", "two": "queued"})
        world.ends["one"] = None
        await until(lambda: states(queue) == {"one": "done", "two": "transferring"})
        assert [one.quantization for one in queue.statuses()] == ["Q4_K_M", "Q8_0"]
        assert queue.statuses()[0].received_bytes == 100


async def test_pause_lets_the_next_run_and_resume_waits_for_its_turn(world: World) -> None:
    async with world.queue() as queue:
        one = await queue.add("one")
        two = await queue.add("two")
        await until(lambda: world.running == ["one"])
        assert (await queue.pause(one.id)).state == "paused"
        await until(lambda: world.running == ["two"])
        assert (await queue.resume(one.id)).state == "queued"
        await queue.pause(two.id)
        await until(lambda: world.running == ["one"])
        assert queue.statuses()[0].received_bytes == 50


async def test_the_same_model_again_goes_on_instead_of_twice(world: World) -> None:
    async with world.queue() as queue:
        one = await queue.add("one", endpoints={"HF_TOKEN": "old"})
        await queue.pause(one.id)
        again = await queue.add("one", endpoints={"HF_TOKEN": "new"})
        assert again.id == one.id and len(queue.statuses()) == 1
        await until(lambda: world.running == ["one"])


async def test_cancel_deletes_what_arrived(world: World) -> None:
    async with world.queue() as queue:
        one = await queue.add("one")
        await until(lambda: world.running == ["one"])
        await queue.cancel(one.id)
        assert world.discarded == ["one"] and queue.statuses() == () and world.running == []
        with pytest.raises(DownloadMissing):
            await queue.pause(one.id)


async def test_failure_is_said_and_can_be_tried_again(world: World) -> None:
    world.ends["one"] = NoSourceWorked(file="x", problems=())
    async with world.queue() as queue:
        one = await queue.add("one")
        await until(lambda: states(queue) == {"one": "failed"})
        error = queue.statuses()[0].error
        assert error is not None and error.code == "NoSourceWorked"
        world.ends["one"] = None
        assert (await queue.resume(one.id)).error is None
        await until(lambda: states(queue) == {"one": "done"})
        with pytest.raises(RemoteClosed):
            await queue.add("nothing")


async def test_the_order_can_be_changed(world: World) -> None:
    async with world.queue() as queue:
        await queue.add("one")
        await queue.add("two")
        three = await queue.add("three")
        await queue.move(three.id, 1)
        assert list(states(queue)) == ["one", "three", "two"]
        await until(lambda: world.running == ["one"])
        world.ends["one"] = None
        await until(lambda: world.running == ["three"])


async def test_a_restart_goes_on_and_keeps_no_secret(world: World) -> None:
    async with world.queue() as queue:
        await queue.add("one", endpoints={"HF_TOKEN": "secret"})
        two = await queue.add("two")
        await queue.pause(two.id)
        await until(lambda: world.running == ["one"])
    assert world.running == [] and b"secret" not in (world.folder / "downloads.json").read_bytes()
    async with world.queue() as queue:
        await until(lambda: states(queue) == {"one": "transferring", "two": "paused"})
        assert world.asked[-1] == ("one", {})
        world.ends["one"] = None
        await until(lambda: states(queue)["one"] == "done")
    async with world.queue() as queue:
        assert states(queue) == {"two": "paused"}


async def test_only_within_the_hours(world: World) -> None:
    world.settings = replace(world.settings, download_hours="22:00-07:00")
    async with world.queue() as queue:
        await queue.add("one")
        await until(lambda: queue.statuses()[0].outside_hours)
        world.now = datetime(2026, 5, 1, 23, 0)
        await until(lambda: world.running == ["one"] and not queue.statuses()[0].outside_hours)
        world.now = datetime(2026, 5, 2, 7, 0)
        await until(lambda: world.running == [] and queue.statuses()[0].state == "queued")


async def test_while_the_models_folder_moves_nothing_runs_and_afterwards_it_goes_on_there(world: World) -> None:
    async with world.queue() as queue:
        await queue.add("one")
        await until(lambda: world.running == ["one"])
        async with queue.held():
            assert world.running == [] and states(queue) == {"one": "queued"}
            await queue.add("two")
            world.folder = world.folder / "elsewhere"
            assert world.running == []
        await until(lambda: world.running == ["one"])
        assert world.folders == [world.folder.parent, world.folder]


async def test_the_speed_limit_follows_the_settings(world: World) -> None:
    async with world.queue() as queue:
        await queue.add("one")
        await until(lambda: world.caps)
        world.settings = replace(world.settings, download_bytes_per_second=100_000)
        await until(lambda: world.caps[0].bytes_per_second == 100_000)


@pytest.mark.parametrize("text", ["22:00", "25:00-07:00", "a-b", "22:00-07:60"])
def test_hours_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_hours(text)


async def test_a_queue_that_closes_while_a_download_ends_begins_no_other(world: World) -> None:
    async with world.queue() as queue:
        await queue.add("one")
        await queue.add("two")
        await until(lambda: world.running == ["one"])
        world.ends["one"] = None
    assert world.running == []
    await asyncio.sleep(0)
    assert states(queue)["two"] == "queued"
