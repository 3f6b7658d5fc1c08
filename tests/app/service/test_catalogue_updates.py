"""A newer catalogue is looked for only with the user's consent, and not again and again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from app.client.http import ServiceClient
from app.service.catalogue_updates import CatalogueUpdates
from app.service.kept_settings import KeptSettings
from app.service.service import Outside
from models_catalog.families.update_check import Checked
from models_catalog.signed.errors import UpdateUnreachable
from tests.app.service.fakes import TOKEN, FakeWorld, running_service, until

ADDRESS = "https://updates.example/catalogue.json"


class Publisher(FakeWorld):
    """In the place of the network: says what was asked, and answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []
        self.gate = asyncio.Event()
        self.answer: Checked | Exception = Checked(updated=True, serial=7, date="2999-01-01")

    async def check(self, address: str, folder: Path, seen_serial: int) -> Checked:
        self.asked.append((address, seen_serial))
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def outside(self) -> Outside:
        return replace(super().outside(), check_catalogue=self.check)


async def test_nothing_is_asked_without_consent_and_all_is_told_with_it(tmp_path: Path) -> None:
    world = Publisher()
    async with running_service(tmp_path, world) as running, running.events() as events:
        before = await running.ask("GET", "/catalogue/update")
        assert (before["allowed"], before["state"], before["checked_at"]) == (False, "never", None) and before["date"]
        refused = await running.http.post("/liangli/v1/catalogue/update")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "UpdatesNotAllowed")
        assert world.asked == []
        await running.ask("PATCH", "/settings", {"catalogue_updates": True, "catalogue_url": ADDRESS})

        def begin() -> str:
            with ServiceClient(running.base_url, TOKEN) as client:
                return client.check_catalogue().state

        assert await asyncio.to_thread(begin) == "checking"
        world.gate.set()
        await until(events, "catalogue")
        after = await running.ask("GET", "/catalogue/update")
        assert (after["allowed"], after["state"]) == (True, "updated") and after["checked_at"]
        assert world.asked == [(ADDRESS, 0)]


async def _updates(folder: Path, world: Publisher, now: list[float]) -> CatalogueUpdates:
    settings = KeptSettings(folder / "settings.toml")
    await settings.change({"catalogue_updates": True, "catalogue_url": ADDRESS})
    return CatalogueUpdates(
        folder=folder,
        state_file=folder / "check.json",
        settings=settings,
        check=world.check,
        now=lambda: now[0],
    )


async def _until_done(updates: CatalogueUpdates) -> str:
    async with asyncio.timeout(5):
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "catalogue update"))
    return updates.status("").state


async def test_by_itself_it_looks_once_a_day_also_after_a_restart(tmp_path: Path) -> None:
    world, now = Publisher(), [1_000_000.0]
    world.gate.set()
    updates = await _updates(tmp_path, world, now)
    updates.begin_if_due()
    assert await _until_done(updates) == "updated"
    updates.begin_if_due()
    later = await _updates(tmp_path, world, now)
    now[0] += 23 * 3600
    later.begin_if_due()
    assert len(world.asked) == 1
    now[0] += 2 * 3600
    later.begin_if_due()
    # An older one than was seen would be refused.
    assert await _until_done(later) == "updated" and world.asked[1] == (ADDRESS, 7)


async def test_a_failure_is_told_and_not_repeated_by_itself(tmp_path: Path) -> None:
    world, now = Publisher(), [1_000_000.0]
    world.gate.set()
    world.answer = UpdateUnreachable(ADDRESS, "silence")
    updates = await _updates(tmp_path, world, now)
    updates.begin_if_due()
    assert await _until_done(updates) == "failed"
    error = updates.status("").error
    assert error is not None and (error.code, error.fields["detail"]) == ("UpdateUnreachable", "silence")
    updates.begin_if_due()
    assert len(world.asked) == 1
    world.answer = Checked(updated=False, serial=7, date="2026-01-01")
    updates.begin()
    assert await _until_done(updates) == "current"


async def test_closing_ends_a_look(tmp_path: Path) -> None:
    world = Publisher()
    updates = await _updates(tmp_path, world, [1.0])
    updates.begin()
    async with asyncio.timeout(5):
        await updates.close()
