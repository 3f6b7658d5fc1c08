"""The catalogue as the service's faces ask for it: searched, joined with what is on this computer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.catalogue_values import CatalogueDetail, CatalogueFit, CatalogueFound, CatalogueQuery, CatalogueUpdate
from app.planning.models import LocalModels
from app.service.catalogue_fits import CatalogueFits
from app.service.catalogue_updates import CatalogueUpdates
from app.service.events import EventBus
from app.service.library import LocalLibrary
from app.values import LocalModel

if TYPE_CHECKING:
    from app.service.opened_catalogue import CatalogueReader, OpenedCatalogue
    from models_catalog.families.values import Model


class Catalogue:
    """For the service's loop only. families_folder: the user's own entries. files: reads models that are here.

    The catalogue is read when it is first asked for: an idle service does without its memory.
    """

    def __init__(
        self,
        *,
        families_folder: Path,
        library: LocalLibrary,
        files: LocalModels,
        fits: CatalogueFits,
        updates: CatalogueUpdates,
        events: EventBus,
    ) -> None:
        self._families_folder, self._library, self._files = families_folder, library, files
        self._fits, self._updates, self._events = fits, updates, events
        updates.on_updated = self._changed
        self._one_at_a_time = asyncio.Lock()
        self._reader: CatalogueReader | None = None
        self._last: OpenedCatalogue | None = None

    async def search(self, query: CatalogueQuery) -> CatalogueFound:
        """The models that answer to the query. Raises BadRequest for a filter that there is not."""
        opened, local = await self._opened()
        return await asyncio.to_thread(opened.search, query, local)

    async def detail(self, model_id: str) -> CatalogueDetail:
        """All about one model. Raises CatalogueModelUnknown."""
        opened, local = await self._opened()
        return await asyncio.to_thread(opened.detail, model_id, local)

    async def fits(self, model_ids: Sequence[str]) -> list[CatalogueFit]:
        """What is known now; the rest follows as events. Models that cannot be planned without the network are left
        out, and so are ids that the catalogue has no more."""
        opened, local = await self._opened()
        wanted = await asyncio.to_thread(opened.shapes, model_ids, local, self._files.read)
        return await self._fits.ask(wanted)

    async def update(self) -> CatalogueUpdate:
        """Whether the catalogue renews itself, and how that went."""
        opened, _ = await self._opened()
        return self._updates.status(opened.ready.date)

    async def begin_update(self) -> CatalogueUpdate:
        """Look for a newer catalogue; an event tells when there is one. Raises UpdatesNotAllowed."""
        self._updates.begin()
        return await self.update()

    async def close(self) -> None:
        """Stop all that goes on in the background."""
        await self._updates.close()
        await self._fits.close()

    def _changed(self) -> None:
        # Whoever asks next reads the new one; the event was sent by then.
        self._last = None
        self._events.publish("catalogue", {})

    async def recognise(self, file: LocalModel) -> Model | None:
        """The model that a file on this computer is; None for one that the catalogue does not know."""
        async with self._one_at_a_time:
            opened = await asyncio.to_thread(self._read)
        return opened.recognise(file)

    async def _opened(self) -> tuple[OpenedCatalogue, tuple[LocalModel, ...]]:
        async with self._one_at_a_time:
            opened, local = await asyncio.gather(asyncio.to_thread(self._read), self._library.models())
        before, self._last = self._last, opened
        if before is not None and opened is not before:
            self._events.publish("catalogue", {})
        self._updates.begin_if_due()
        return opened, local

    def _read(self) -> OpenedCatalogue:
        from app.service.opened_catalogue import CatalogueReader

        self._reader = self._reader or CatalogueReader(self._families_folder)
        return self._reader.read()
