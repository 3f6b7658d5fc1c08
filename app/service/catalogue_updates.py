"""The catalogue's renewal: only after the user agreed, at most once a day by itself, at once when asked for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.catalogue_values import CatalogueUpdate
from app.service.kept_settings import KeptSettings
from app.updates.address import catalogue_address
from app.words import error_body
from models_catalog.errors import CatalogError
from resources.atomic_file import write_atomically

if TYPE_CHECKING:
    from models_catalog.families.update_check import Checked

log = logging.getLogger(__name__)
_DAY_SECONDS = 24 * 3600.0
# (address, folder, serial of the newest that was ever seen)
CheckCatalogue = Callable[[str, Path, int], Awaitable["Checked"]]


class _Seen(msgspec.Struct, frozen=True):
    """What is kept between runs. serial: of the newest catalogue that was ever seen."""

    checked_at: float | None = None
    serial: int = 0


class CatalogueUpdates:
    """For the service's loop only. folder: where the update is kept; state_file: when it was looked for.

    on_updated: called when a newer catalogue is there; whoever reads the catalogue sets it.
    """

    def __init__(
        self,
        *,
        folder: Path,
        state_file: Path,
        settings: KeptSettings,
        check: CheckCatalogue,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._state_file, self._settings = folder, state_file, settings
        self._check, self._now = check, now
        self.on_updated: Callable[[], None] = lambda: None
        self._status = CatalogueUpdate(allowed=False, state="never", date="")
        self._task: asyncio.Task[None] | None = None

    def status(self, date: str) -> CatalogueUpdate:
        """How it stands. date: of the catalogue in use."""
        status = self._status
        return CatalogueUpdate(
            allowed=self._settings.now.catalogue_updates,
            state=status.state,
            date=date,
            checked_at=self._seen().checked_at,
            error=status.error,
        )

    def begin(self) -> None:
        """Look for a newer one now, if it is not being looked for already. Raises UpdatesNotAllowed."""
        if not self._settings.now.catalogue_updates:
            from models_catalog.signed.errors import UpdatesNotAllowed

            raise UpdatesNotAllowed
        if self._task is None or self._task.done():
            self._status = CatalogueUpdate(allowed=True, state="checking", date="")
            self._task = asyncio.create_task(self._work(), name="catalogue update")

    def begin_if_due(self) -> None:
        """Look for a newer one if the user agreed and the last look is a day ago, or lies in the future."""
        if not self._settings.now.catalogue_updates or not self._address():
            return
        checked_at = self._seen().checked_at
        if checked_at is None or not 0 <= self._now() - checked_at < _DAY_SECONDS:
            self.begin()

    async def close(self) -> None:
        """Stop looking; what was in use stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        seen = self._seen()
        # Also of a look that fails: a server that is down is not asked at every search.
        self._keep(_Seen(checked_at=self._now(), serial=seen.serial))
        try:
            checked = await self._check(self._address(), self._folder, seen.serial)
        except Exception as error:
            if not isinstance(error, CatalogError):
                log.exception("no look for a newer catalogue")
            self._status = CatalogueUpdate(allowed=True, state="failed", date="", error=error_body(error))
            return
        self._keep(_Seen(checked_at=self._now(), serial=max(seen.serial, checked.serial)))
        self._status = CatalogueUpdate(allowed=True, state="updated" if checked.updated else "current", date="")
        if checked.updated:
            self.on_updated()

    def _address(self) -> str:
        return catalogue_address(self._settings.now)

    def _seen(self) -> _Seen:
        try:
            return msgspec.json.decode(self._state_file.read_bytes(), type=_Seen)
        except (OSError, msgspec.MsgspecError):
            return _Seen()

    def _keep(self, seen: _Seen) -> None:
        try:
            write_atomically(self._state_file, msgspec.json.encode(seen))
        except OSError as error:
            log.warning("cannot remember when the catalogue was looked for: %s", error)


async def check_catalogue(address: str, folder: Path, seen_serial: int) -> Checked:
    """See CheckCatalogue. Raises as `check_for_update` does."""

    def parts() -> tuple[Callable[..., Awaitable[Checked]], dict[str, object]]:
        # Imported when it is needed: its HTTP client is memory that an idle service can do without.
        from models_catalog.families.loader import shipped_date
        from models_catalog.families.update_check import check_for_update
        from models_catalog.signed.keys import shipped_keys

        return check_for_update, {"keys": shipped_keys(), "built_in_date": shipped_date()}

    check_for_update, known = await asyncio.to_thread(parts)
    return await check_for_update(address, folder, seen_serial=seen_serial, **known)
