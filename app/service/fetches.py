"""Downloads of starter models: each in a thread, seen through events, ended by the user or by itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, assert_never

from app.service.events import EventBus
from app.values import FetchStatus, Language, StarterOffer
from app.words import error_body
from models_catalog.disk import free_disk_bytes
from models_catalog.download.values import DownloadProgress
from models_catalog.errors import FetchCancelled
from models_catalog.starter import Starter, starter, starters

log = logging.getLogger(__name__)


class Fetch(Protocol):
    """Fetches a model into the folder, blocking (`app.service.downloads.starter.StarterDownload`)."""

    def __call__(
        self,
        starter: Starter,
        models_folder: Path,
        *,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> Path: ...


@dataclass(slots=True)
class _Running:
    status: FetchStatus
    cancelled: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[None] | None = None


class Fetches:
    """For the service's loop only. available_bytes: memory that can be taken now."""

    def __init__(
        self, *, models_folder: Path, fetch: Fetch, available_bytes: Callable[[], int], events: EventBus
    ) -> None:
        self._models_folder = models_folder
        self._fetch = fetch
        self._available_bytes = available_bytes
        self._events = events
        self._known: dict[str, _Running] = {}

    async def offers(self, language: Language) -> tuple[StarterOffer, ...]:
        """All starter models; the smallest, which runs anywhere, is recommended."""
        memory_bytes = self._available_bytes()
        disk_bytes = await asyncio.to_thread(free_disk_bytes, self._models_folder)
        return tuple(
            StarterOffer(
                key=one.key,
                name=one.name.zh if language == "zh" else one.name.en,
                size_bytes=one.size_bytes,
                needed_memory_bytes=one.needed_memory_bytes,
                licence=one.licence,
                fits=one.fits(available_memory_bytes=memory_bytes, free_disk_bytes=disk_bytes),
                installed=one.installed_in(self._models_folder),
                recommended=place == 0,
            )
            for place, one in enumerate(starters())
        )

    def use_folder(self, models_folder: Path) -> None:
        """Downloads that begin from now on go there."""
        self._models_folder = models_folder

    def statuses(self) -> tuple[FetchStatus, ...]:
        """Downloads that run, and how those ended that did since the service started."""
        return tuple(running.status for running in self._known.values())

    def start(self, key: str) -> FetchStatus:
        """Begin a download; one that runs already is left alone. Raises StarterUnknown."""
        wanted = starter(key)
        running = self._known.get(key)
        if running is None or running.task is None or running.task.done():
            first = FetchStatus(
                key=key,
                state="choosing_source",
                received_bytes=0,
                total_bytes=wanted.size_bytes,
                bytes_per_second=0.0,
                source="",
            )
            running = self._known[key] = _Running(first)
            running.task = asyncio.create_task(self._run(wanted, running), name=f"fetch {key}")
            self._events.publish("fetch", first)
        return running.status

    async def cancel(self, key: str) -> None:
        """End a download; what has arrived is kept for the next time. Raises StarterUnknown."""
        starter(key)
        running = self._known.get(key)
        if running is not None and running.task is not None:
            running.cancelled.set()
            await asyncio.wait({running.task})

    async def close(self) -> None:
        """End all downloads."""
        await asyncio.gather(*(self.cancel(key) for key in list(self._known)))

    async def _run(self, wanted: Starter, running: _Running) -> None:
        loop = asyncio.get_running_loop()

        def progress(step: DownloadProgress) -> None:
            loop.call_soon_threadsafe(self._show, running, _status(running.status, step))

        try:
            await asyncio.to_thread(
                self._fetch, wanted, self._models_folder, progress=progress, cancelled=running.cancelled
            )
        except FetchCancelled:
            end = replace(running.status, state="cancelled", bytes_per_second=0.0)
        except Exception as error:
            log.warning("fetching %s failed: %s", wanted.key, type(error).__name__)
            end = replace(running.status, state="failed", bytes_per_second=0.0, error=error_body(error))
        else:
            end = replace(running.status, state="done", received_bytes=running.status.total_bytes, bytes_per_second=0.0)
            self._events.publish("models", {})
        self._show(running, end)

    def _show(self, running: _Running, status: FetchStatus) -> None:
        running.status = status
        self._events.publish("fetch", status)


def _status(before: FetchStatus, step: DownloadProgress) -> FetchStatus:
    after = replace(before, received_bytes=step.received_bytes, total_bytes=step.total_bytes, bytes_per_second=0.0)
    match step.state:
        case "choosing_source" | "waiting":
            return replace(after, state="choosing_source")
        case "transferring":
            return replace(after, state="transferring", bytes_per_second=step.bytes_per_second, source=step.source)
        case "verifying" | "repairing":
            return replace(after, state="verifying")
        case _:
            assert_never(step.state)
