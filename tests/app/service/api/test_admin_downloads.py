"""The queue of downloads over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.service.service import Outside
from models_catalog.download.resolve import Candidate
from models_catalog.errors import RemoteClosed
from tests.app.service.downloads.test_queue import candidate
from tests.app.service.fakes import FakeWorld, Running, running_service, until


class DownloadWorld(FakeWorld):
    """Two models to download, which take no time."""

    asked: Mapping[str, str] = {}

    async def find(self, text: str, sources: Sequence[str], endpoints: Mapping[str, str]) -> tuple[Candidate, ...]:
        if text == "nothing":
            raise RemoteClosed(text)
        self.asked = endpoints
        return (candidate(text),)

    def outside(self) -> Outside:
        def download(model: Any, models_folder: Path, **_: Any) -> tuple[Path, ...]:
            return (models_folder / model.name,)

        return replace(super().outside(), find_downloads=self.find, download=download)


async def test_a_download_from_the_order_to_its_end(tmp_path: Path) -> None:
    world = DownloadWorld()
    async with running_service(tmp_path / "data", world) as running, running.events() as events:
        body = {"model": "one", "endpoints": {"HF_TOKEN": "t", "PATH": "x"}}
        begun = await running.ask("POST", "/downloads", body)
        assert (begun["name"], begun["quantization"]) == ("one", "Q4_K_M") and world.asked == {"HF_TOKEN": "t"}
        done = await until(events, "download", state="done")
        assert done["id"] == begun["id"] and done["files"] == ["a/one/Q4_K_M.gguf"]
        assert await running.ask("GET", "/downloads") == [done]
        assert await running.ask("POST", f"/downloads/{done['id']}/order", {"position": 0}) == [done]
        await running.ask("POST", f"/downloads/{done['id']}/cancel")
        await until(events, "download_removed", id=done["id"])
        assert await running.ask("GET", "/downloads") == []


async def test_pause_and_resume_and_what_is_not_there(running: Running) -> None:
    for verb in ("pause", "resume", "cancel"):
        reply = await running.http.post(f"/liangli/v1/downloads/none/{verb}")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "DownloadMissing")


async def test_limit_and_hours_are_settings(running: Running) -> None:
    changed = await running.ask(
        "PATCH", "/settings", {"download_bytes_per_second": 1_000_000, "download_hours": "22:00-06:00"}
    )
    assert changed["download_hours"] == "22:00-06:00"
    for wrong in ({"download_bytes_per_second": 5}, {"download_hours": "soon"}, {"download_proxies": {"x": "ftp://y"}}):
        reply = await running.http.patch("/liangli/v1/settings", json=wrong)
        assert reply.json()["error"]["code"] == "SettingInvalid"
