"""The queue of downloads: one at a time, in the user's order, in the hours and at the speed that are allowed."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.download_hours import parse_hours
from app.download_values import DownloadRemoved, DownloadState, DownloadStatus
from app.errors import DownloadMissing
from app.service.downloads.kept_queue import KeptDownload, read_queue, write_queue
from app.service.events import EventBus
from app.settings import Settings
from app.words import error_body
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.values import DownloadProgress, ModelToFetch
from models_catalog.errors import FetchCancelled, QuantizationMissing

if TYPE_CHECKING:
    from models_catalog.download.resolve import Candidate

log = logging.getLogger(__name__)
_TICK_SECONDS = 1.0


class Find(Protocol):
    """What a text can mean (`models_catalog.download.resolve.DownloadFinder.find`). endpoints: see Downloads.add."""

    async def __call__(
        self, text: str, sources: Sequence[str], endpoints: Mapping[str, str]
    ) -> tuple[Candidate, ...]: ...


class Download(Protocol):
    """Downloads a model, blocking (`models_catalog.download.model_download.download`)."""

    def __call__(
        self,
        model: ModelToFetch,
        models_folder: Path,
        *,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
        cap: SpeedCap,
        proxies: Mapping[str, str],
    ) -> tuple[Path, ...]: ...


@dataclass(slots=True, eq=False)
class _Item:
    status: DownloadStatus
    sources: tuple[str, ...] = ()
    endpoints: Mapping[str, str] = field(default_factory=dict)
    model: ModelToFetch | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[None] | None = None

    @property
    def waits(self) -> bool:
        """It would like to run."""
        return self.task is None and self.status.state == "queued"


class Downloads:
    """For the service's loop only. `open` before anything else, `close` at the end.

    best: chooses among the quantizations of a model, given what the user named it. discard: deletes what arrived of a
    download that is given up.
    """

    def __init__(
        self,
        *,
        models_folder: Callable[[], Path],
        queue_file: Path,
        settings: Callable[[], Settings],
        events: EventBus,
        find: Find,
        download: Download,
        discard: Callable[[ModelToFetch, Path], None],
        best: Callable[[str], Awaitable[str]],
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._models_folder, self._queue_file, self._settings = models_folder, queue_file, settings
        self._events, self._find, self._download, self._discard, self._best = events, find, download, discard, best
        self._clock = clock
        self._items: list[_Item] = []
        self._cap = SpeedCap()
        self._ticking: asyncio.Task[None] | None = None
        self._closed = False
        self._held = False

    async def open(self) -> None:
        """Goes on with what an earlier service left."""
        for kept in await asyncio.to_thread(read_queue, self._queue_file):
            status = DownloadStatus(
                id=kept.id,
                model=kept.model,
                name=kept.name,
                quantization=kept.quantization,
                state="paused" if kept.paused else "queued",
                received_bytes=kept.received_bytes,
                total_bytes=kept.total_bytes,
            )
            self._items.append(_Item(status, kept.sources))
        self._ticking = asyncio.create_task(self._tick(), name="downloads")

    async def close(self) -> None:
        """Stops; what has arrived and the queue are kept."""
        # A download that just ended would begin the next one, whose thread nobody would stop any more.
        self._closed = True
        if self._ticking is not None:
            self._ticking.cancel()
        for item in self._items:
            item.stop.set()
        tasks = [item.task for item in self._items if item.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._keep()

    def statuses(self) -> tuple[DownloadStatus, ...]:
        """All downloads in their order, those that ended since the service started too."""
        return tuple(item.status for item in self._items)

    async def add(
        self, text: str, sources: Sequence[str] = (), endpoints: Mapping[str, str] | None = None
    ) -> DownloadStatus:
        """Put a model at the end of the queue; one that is there already goes on.

        text: what `DownloadFinder.find` takes; without a quantization the best one for this computer is taken.
        endpoints: HF_ENDPOINT, HF_TOKEN and MODELSCOPE_ENDPOINT of whoever asks, for the service's own; a restart
        forgets them. Raises leaves of RemoteRefused and FetchFailed.
        """
        endpoints = endpoints or {}
        candidates = await self._find(text, sources, endpoints)
        chosen = candidates[0]
        if len(candidates) > 1:
            best = await self._best(text)
            chosen = next((one for one in candidates if one.quantization.casefold() == best.casefold()), chosen)
        files = _files(chosen.model)
        for item in self._items:
            if item.status.files == files and item.status.state not in ("done", "failed"):
                item.endpoints = endpoints
                return await self.resume(item.status.id)
        self._items = [item for item in self._items if item.status.files != files]
        status = DownloadStatus(
            id=secrets.token_hex(4),
            model=text,
            name=chosen.model.name,
            quantization=chosen.quantization,
            state="queued",
            total_bytes=chosen.size_bytes or 0,
            files=files,
        )
        item = _Item(status, tuple(sources), endpoints, chosen.model)
        self._items.append(item)
        self._show(item, status)
        await self._keep()
        self._pump()
        return item.status

    async def pause(self, download_id: str) -> DownloadStatus:
        """Stop a download; what arrived stays. Raises DownloadMissing."""
        item = self._item(download_id)
        if item.status.state not in ("done", "failed", "paused"):
            await self._stop(item)
            self._show(item, _still(item.status, "paused"))
            await self._keep()
            self._pump()
        return item.status

    async def resume(self, download_id: str) -> DownloadStatus:
        """Let a paused or failed download run again when it is its turn. Raises DownloadMissing."""
        item = self._item(download_id)
        if item.status.state in ("paused", "failed"):
            self._show(item, replace(_still(item.status, "queued"), error=None))
            await self._keep()
            self._pump()
        return item.status

    async def cancel(self, download_id: str) -> None:
        """Take a download out of the queue; what arrived of an unfinished one is deleted. Raises DownloadMissing."""
        item = self._item(download_id)
        await self._stop(item)
        self._items.remove(item)
        if item.model is not None and item.status.state != "done":
            await asyncio.to_thread(self._discard, item.model, self._models_folder())
        self._events.publish("download_removed", DownloadRemoved(id=download_id))
        await self._keep()
        self._pump()

    async def move(self, download_id: str, position: int) -> tuple[DownloadStatus, ...]:
        """Give a download another place, 0 the first; one that runs already goes on. Raises DownloadMissing."""
        item = self._item(download_id)
        self._items.remove(item)
        self._items.insert(max(0, position), item)
        await self._keep()
        self._events.publish("downloads", {"order": [one.status.id for one in self._items]})
        return self.statuses()

    # ---- running

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Meanwhile nothing is downloaded: the models folder is on its way. What ran goes on afterwards."""
        self._held = True
        try:
            for item in [one for one in self._items if one.task is not None]:
                await self._stop(item)
                if item.status.state not in ("done", "failed"):
                    self._show(item, _still(item.status, "queued"))
            yield
        finally:
            self._held = False
            self._pump()

    def _pump(self) -> None:
        """Starts the first that waits, if none runs and it is the hour."""
        allowed = parse_hours(self._settings().download_hours).contain(self._clock().time())
        for item in self._items:
            if item.waits and item.status.outside_hours == allowed:
                self._show(item, replace(item.status, outside_hours=not allowed))
        if self._closed or self._held or not allowed or any(item.task is not None for item in self._items):
            return
        if (first := next((one for one in self._items if one.waits), None)) is not None:
            first.stop = threading.Event()
            first.task = asyncio.create_task(self._run(first), name=f"download {first.status.id}")

    async def _tick(self) -> None:
        """Follows the clock and the settings."""
        while True:
            settings = self._settings()
            if self._cap.bytes_per_second != settings.download_bytes_per_second:
                self._cap.set(settings.download_bytes_per_second)
            if not parse_hours(settings.download_hours).contain(self._clock().time()):
                for item in [one for one in self._items if one.task is not None]:
                    await self._stop(item)
                    self._show(item, _still(item.status, "queued"))
            self._pump()
            await asyncio.sleep(_TICK_SECONDS)

    async def _run(self, item: _Item) -> None:
        loop = asyncio.get_running_loop()

        def progress(step: DownloadProgress) -> None:
            loop.call_soon_threadsafe(self._progress, item, step)

        stop = item.stop
        try:
            model = await self._model(item)
            await asyncio.to_thread(
                self._download,
                model,
                self._models_folder(),
                progress=progress,
                cancelled=stop,
                cap=self._cap,
                proxies=self._settings().download_proxies,
            )
        except FetchCancelled:
            return
        except Exception as error:
            if stop.is_set():
                return
            log.warning("download %s failed: %s", item.status.name, type(error).__name__)
            end = replace(_still(item.status, "failed"), error=error_body(error))
        else:
            end = replace(_still(item.status, "done"), received_bytes=item.status.total_bytes)
            self._events.publish("models", {})
        finally:
            item.task = None
        self._show(item, end)
        await self._keep()
        self._pump()

    async def _model(self, item: _Item) -> ModelToFetch:
        """What to fetch; asked anew after a restart, because addresses and tokens are not kept."""
        if item.model is None:
            self._show(item, replace(item.status, state="resolving"))
            candidates = await self._find(item.status.model, item.sources, item.endpoints)
            wanted = item.status.quantization
            item.model = next((one.model for one in candidates if one.quantization == wanted), None)
            if item.model is None:
                # Another one would be another download.
                names = tuple(one.quantization for one in candidates)
                raise QuantizationMissing(item.status.model, wanted, names)
            self._show(item, replace(item.status, files=_files(item.model), name=item.model.name))
        return item.model

    async def _stop(self, item: _Item) -> None:
        task = item.task
        if task is not None:
            item.stop.set()
            await asyncio.wait({task})
            item.task = None

    def _progress(self, item: _Item, step: DownloadProgress) -> None:
        if item.task is None or item.stop.is_set():
            return
        self._show(
            item,
            replace(
                item.status,
                state=step.state,
                received_bytes=step.received_bytes,
                total_bytes=step.total_bytes or item.status.total_bytes,
                checked_bytes=step.checked_bytes,
                bytes_per_second=step.bytes_per_second,
                remaining_seconds=step.remaining_seconds,
                source=step.source,
                connections=step.connections,
            ),
        )

    # ---- the list

    def _item(self, download_id: str) -> _Item:
        for item in self._items:
            if item.status.id == download_id:
                return item
        raise DownloadMissing(id=download_id)

    def _show(self, item: _Item, status: DownloadStatus) -> None:
        item.status = status
        self._events.publish("download", status)

    async def _keep(self) -> None:
        kept = tuple(
            KeptDownload(
                id=item.status.id,
                model=item.status.model,
                name=item.status.name,
                quantization=item.status.quantization,
                sources=item.sources,
                paused=item.status.state in ("paused", "failed"),
                received_bytes=item.status.received_bytes,
                total_bytes=item.status.total_bytes,
            )
            for item in self._items
            if item.status.state != "done"
        )
        await asyncio.to_thread(write_queue, self._queue_file, kept)


def _still(status: DownloadStatus, state: DownloadState) -> DownloadStatus:
    """The status of a download that does not move."""
    return replace(
        status,
        state=state,
        bytes_per_second=0.0,
        remaining_seconds=None,
        source="",
        connections=0,
        checked_bytes=0,
    )


def _files(model: ModelToFetch) -> tuple[str, ...]:
    return tuple("/".join(file.place) for file in model.files)
