from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.service.fetches import Fetches
from models_catalog.download.values import DownloadProgress
from models_catalog.errors import DiskTooSmall, FetchCancelled, StarterUnknown
from models_catalog.starter import Starter, starters
from tests.app.service.fakes import FakeWorld, Running, running_service, until

KEY = starters()[0].key


class FetchWorld(FakeWorld):
    """Downloads that wait for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def fetch(
        self,
        starter: Starter,
        models_folder: Path,
        *,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> Path:
        half = starter.size_bytes // 2
        whole = DownloadProgress(
            state="verifying", received_bytes=starter.size_bytes, total_bytes=starter.size_bytes, checked_bytes=0
        )
        progress(replace(whole, state="transferring", received_bytes=half, bytes_per_second=5.0, source="ModelScope"))
        while not self.go_on.wait(0.005):
            if cancelled.is_set():
                raise FetchCancelled(file=starter.file)
        if self.error is not None:
            raise self.error
        progress(whole)
        return starter.path_in(models_folder)


async def test_a_download_is_reported_to_its_end(tmp_path: Path) -> None:
    world = FetchWorld()
    async with running_service(tmp_path / "data", world) as running, running.events() as events:
        begun = await running.ask("POST", "/starter/fetch", {"key": KEY})
        assert begun["state"] == "choosing_source"
        half = await until(events, "fetch", state="transferring")
        assert (half["source"], half["bytes_per_second"]) == ("ModelScope", 5.0)
        again = await running.ask("POST", "/starter/fetch", {"key": KEY})
        assert again["state"] == "transferring"
        world.go_on.set()
        await until(events, "fetch", state="verifying")
        done = await until(events, "fetch", state="done")
        assert done["received_bytes"] == done["total_bytes"] and done["bytes_per_second"] == 0
        assert await running.ask("GET", "/starter/fetch") == [done]


async def test_cancel_and_failure_and_another_try(tmp_path: Path) -> None:
    world = FetchWorld()
    async with running_service(tmp_path / "data", world) as running, running.events() as events:
        await running.ask("POST", "/starter/fetch", {"key": KEY})
        await until(events, "fetch", state="transferring")
        await running.ask("POST", "/starter/cancel", {"key": KEY})
        await until(events, "fetch", state="cancelled")
        world.error = DiskTooSmall(path="/x", needed_bytes=5, free_bytes=1)
        world.go_on.set()
        await running.ask("POST", "/starter/fetch", {"key": KEY})
        failed = await until(events, "fetch", state="failed")
        assert failed["error"] == {"code": "DiskTooSmall", "fields": {"path": "/x", "needed_bytes": 5, "free_bytes": 1}}


async def test_the_end_of_the_service_ends_downloads(tmp_path: Path) -> None:
    async with running_service(tmp_path / "data", FetchWorld()) as running:
        await running.ask("POST", "/starter/fetch", {"key": KEY})
    assert running.service.fetches.statuses()[0].state == "cancelled"


async def test_offers_tell_what_fits_in_the_faces_language(running: Running) -> None:
    running.world.free_bytes = 10**12
    offers = await running.ask("GET", "/starter")
    assert {offer["key"] for offer in offers} == {one.key for one in starters()}
    assert all(offer["fits"] for offer in offers) and sum(offer["recommended"] for offer in offers) == 1
    running.world.free_bytes = 1000
    reply = await running.http.get("/liangli/v1/starter", headers={"Accept-Language": "zh"})
    assert not any(offer["fits"] for offer in reply.json())
    assert [offer["name"] for offer in reply.json()] == [one.name.zh for one in starters()]


async def test_an_unknown_key(running: Running, tmp_path: Path) -> None:
    reply = await running.http.post("/liangli/v1/starter/fetch", json={"key": "nothing"})
    assert reply.json()["error"]["code"] == "StarterUnknown"
    with pytest.raises(StarterUnknown):
        Fetches(
            models_folder=tmp_path,
            fetch=running.world.fetch,
            available_bytes=lambda: 0,
            events=running.service.events,
        ).start("nothing")
