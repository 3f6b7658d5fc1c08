"""Templates of new models are examined in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from app.service.events import EventBus
from app.service.library import LocalLibrary
from app.service.manners import Manners
from app.service.template_reports import TemplateReports
from app.service.template_watch import TemplateWatch
from app.service.templates import Templates
from app.values import LocalModel, TemplateReport
from inference.text.doctor.subject import Subject
from inference.text.doctor.values import Diagnosis, Finding, Severity
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.values import Model
from tests.app.service.fakes import FakeWorld, model
from tests.tiny_models import write_tiny_llama

BROKEN = "{{ raise_exception('no chats') }}"


class Seen(EventBus):
    """Keeps the reports that were published."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: asyncio.Queue[TemplateReport] = asyncio.Queue()

    def publish(self, kind: str, data: object) -> None:
        super().publish(kind, data)
        if isinstance(data, TemplateReport):
            self.reports.put_nowait(data)


class Clinic:
    """A doctor who finds what the template says, and a library of tiny models."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world, self.events = folder, FakeWorld(), Seen()
        self.world.shelf_models = []
        self.examined: list[str] = []
        self.busy = False
        self.reports = TemplateReports(folder / "templates.json")

    def add(self, name: str, template: str) -> LocalModel:
        path = write_tiny_llama(self.folder / f"{name}.gguf", template=template)
        added = replace(model(name), path=str(path))
        self.world.shelf_models.append(added)
        return added

    async def examine(self, subject: Subject) -> Diagnosis:
        self.examined.append(subject.template or "")
        found = (Finding(key="refuses_all", severity=Severity.BROKEN),) if subject.template == BROKEN else ()
        return Diagnosis(findings=found)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        watch = TemplateWatch(
            library=LocalLibrary(self.world, tuple),
            templates=Templates(self.reports, examine=self.examine),
            events=self.events,
            busy=lambda: self.busy,
            first_seconds=0,
            pause_seconds=0,
        )
        watch.open()
        try:
            async with asyncio.timeout(5):
                yield
        finally:
            await watch.close()


async def test_what_is_wrong_with_a_new_model_is_said_once(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.add("fine", "{{ messages[0].content }}")
    clinic.add("bad", BROKEN)
    async with clinic.open():
        report = await clinic.events.reports.get()
        assert (report.model, report.severity, report.usable) == ("bad", "broken", False)
        clinic.add("other", BROKEN + " ")
        clinic.add("same", BROKEN)
        clinic.events.publish("models", {})
        assert (await clinic.events.reports.get()).model == "same"
    assert len(clinic.examined) == 3 + (clinic.examined.count(BROKEN) - 1)
    again = Clinic(tmp_path)
    again.world.shelf_models = clinic.world.shelf_models
    late = again.add("late", BROKEN + "\n")
    async with again.open():
        while again.reports.of_model(late) is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert again.examined == [BROKEN + "\n"]


async def test_an_engine_at_work_is_not_disturbed(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.busy = True
    clinic.add("bad", BROKEN)
    async with clinic.open():
        for _ in range(5):
            await asyncio.sleep(0)
        assert clinic.examined == []
        clinic.busy = False
        assert (await clinic.events.reports.get()).model == "bad"


async def test_a_template_that_was_found_broken_gives_way_to_the_familys(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    file = clinic.add("bad", BROKEN)
    family = {one.id: one for one in KeptIndex().get().index.models}["qwen-7b-chat"]

    async def recognise(wanted: LocalModel) -> Model | None:
        return family

    manners = Manners(recognise, clinic.reports)
    before = await manners.of(file)
    await Templates(clinic.reports, examine=clinic.examine).diagnosis(file)
    after = await manners.of(file)
    assert before is not None
    assert after is not None
    assert (before.own_is_wrong, after.own_is_wrong, after.template) == (False, True, "qwen1")
