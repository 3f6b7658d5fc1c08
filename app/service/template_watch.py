"""Templates of models that are new here are examined in the background, one after the other, when nobody waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from app.service.events import EventBus
from app.service.library import LocalLibrary
from app.service.templates import Templates, report_of
from models_catalog.errors import CatalogError

log = logging.getLogger(__name__)

TELLING = ("warning", "broken")
# The start of the program and what the user does first come before.
FIRST_SECONDS = 20.0
PAUSE_SECONDS = 1.0


class TemplateWatch:
    """For the service's loop only. busy: an engine is being loaded or answers. Publishes "template_report"."""

    def __init__(
        self,
        *,
        library: LocalLibrary,
        templates: Templates,
        events: EventBus,
        busy: Callable[[], bool],
        first_seconds: float = FIRST_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._library, self._templates, self._events = library, templates, events
        self._busy, self._first_seconds, self._pause_seconds = busy, first_seconds, pause_seconds
        self._new = asyncio.Event()
        self._working: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin; those that are here already come after a while."""
        self._events.listen("models", self._new.set)
        self._working = asyncio.create_task(self._work(), name="templates")

    async def close(self) -> None:
        """An examination that runs is ended."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait({self._working})

    async def _work(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._new.wait(), self._first_seconds)
        while True:
            self._new.clear()
            try:
                await self._look()
            except Exception:
                log.exception("templates cannot be examined now")
            await self._new.wait()

    async def _until_idle(self) -> None:
        while True:
            if not self._busy():
                return
            await asyncio.sleep(self._pause_seconds)

    async def _look(self) -> None:
        for model in await self._library.models():
            if model.problem is not None or model.missing or self._templates.known(model) is not None:
                continue
            await self._until_idle()
            try:
                found = await self._templates.diagnosis(model)
            except (CatalogError, OSError) as error:
                log.info("the template of %s cannot be examined: %s", model.id, type(error).__name__)
                continue
            if found.severity in TELLING:
                self._events.publish("template_report", report_of(model, found))
