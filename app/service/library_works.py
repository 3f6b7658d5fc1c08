"""Long work on model files: each in a thread, seen through events, ended by the user or by itself."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from app.errors import BadRequest
from app.local_models import FOLDER_VARIABLE
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.service.kept_settings import KeptSettings
from app.service.library import Shelf
from app.values import LibraryWork, LibraryWorkKind
from app.words import error_body
from models_catalog.errors import LibraryBusy, LibraryMoveRefused, LibraryWorkCancelled
from models_catalog.library.work import Work

log = logging.getLogger(__name__)

# A face that asks for everything is told of this many works that have ended.
_KEPT = 20
_POLL_SECONDS = 0.2


class WorkShelf(Shelf, Protocol):
    """Where model files are, and what takes long with them; the methods block and may be called from any thread."""

    @property
    def folder(self) -> Path:
        """The models folder now."""
        ...

    def verify(self, model_id: str, work: Work) -> str:
        """Returns the verdict."""
        ...

    def compare(self, work: Work) -> None:
        """Compute the hashes that tell duplicates."""
        ...

    def copy_in(self, path: Path, work: Work) -> str:
        """Returns the new model's id."""
        ...

    def move(self, folder: Path, switch: Callable[[Path], None], work: Work) -> tuple[str, ...]:
        """Returns what could not be removed from the old folder."""
        ...

    def finish_move(self) -> tuple[str, ...]:
        """The same, for a move that was cut off after its switch."""
        ...


@dataclass(slots=True)
class _Running:
    status: LibraryWork
    cancelled: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[None] | None = None


class LibraryWorks:
    """For the service's loop only. on_moved: told of the new models folder once it is the one in use.

    without_downloads: while it is entered nothing is downloaded into the models folder.
    """

    def __init__(
        self,
        *,
        shelf: WorkShelf,
        engines: Engines,
        settings: KeptSettings,
        events: EventBus,
        on_moved: Callable[[Path], None],
        without_downloads: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._shelf = shelf
        self._engines = engines
        self._settings = settings
        self._events = events
        self._on_moved = on_moved
        self._without_downloads = without_downloads
        self._works: dict[str, _Running] = {}
        self._finishing: asyncio.Task[None] | None = None

    def statuses(self) -> tuple[LibraryWork, ...]:
        """What is being done, and the last that was."""
        return tuple(running.status for running in self._works.values())

    def finish_move(self) -> None:
        """Clear up, in the background, after a move that an earlier run of the service did not see the end of."""
        self._finishing = asyncio.create_task(self._finish_move(), name="finish move")

    def verify(self, model_id: str) -> LibraryWork:
        """Begin to check a model's files; a check that runs already is left alone. Raises LibraryBusy."""

        async def work(running: _Running) -> None:
            verdict = await asyncio.to_thread(self._shelf.verify, model_id, self._work(running))
            running.status = replace(running.status, verdict=verdict)

        return self._begin("verify", model_id, work)

    def compare(self) -> LibraryWork:
        """Begin to compare models of equal size. Raises LibraryBusy."""

        async def work(running: _Running) -> None:
            await asyncio.to_thread(self._shelf.compare, self._work(running))

        return self._begin("compare", "", work)

    def copy_in(self, path: Path) -> LibraryWork:
        """Begin to copy a model's files into the models folder. Raises LibraryBusy."""

        async def work(running: _Running) -> None:
            model_id = await asyncio.to_thread(self._shelf.copy_in, path, self._work(running))
            running.status = replace(running.status, model=model_id)

        return self._begin("copy", "", work, key=f"copy {path}")

    async def move(self, folder: Path) -> LibraryWork:
        """Begin to move the models folder. Raises BadRequest, LibraryMoveRefused, LibraryBusy, ModelInUse."""
        if not folder.is_absolute():
            raise BadRequest(field="folder", problem="must be an absolute path")
        if os.environ.get(FOLDER_VARIABLE):
            raise LibraryMoveRefused(path=str(folder), reason="environment")
        if any(running.status.state == "running" for running in self._works.values()):
            raise LibraryBusy(path=str(self._shelf.folder))
        for model_id in await self._inside():
            await self._engines.release(model_id)
        loop = asyncio.get_running_loop()

        async def work(running: _Running) -> None:
            def switch(moved: Path) -> None:
                # What was loaded meanwhile has its files in the old folder.
                _wait(asyncio.run_coroutine_threadsafe(self._unload(), loop), running.cancelled)
                asyncio.run_coroutine_threadsafe(self._switch(moved), loop).result()

            async with self._without_downloads():
                left = await asyncio.to_thread(self._shelf.move, folder, switch, self._work(running))
            running.status = replace(running.status, left=left)

        return self._begin("move", "", work)

    async def cancel(self, key: str) -> None:
        """End some work, if it runs; things are as before it, but for what a verdict or a hash is."""
        running = self._works.get(key)
        if running is not None and running.task is not None:
            running.cancelled.set()
            await asyncio.wait({running.task})

    async def close(self) -> None:
        """End all work."""
        await asyncio.gather(*(self.cancel(key) for key in list(self._works)))
        if self._finishing is not None:
            await self._finishing

    def check_not_moving(self) -> None:
        """Raises LibraryBusy while the models folder is being moved."""
        if (moving := self._works.get("move")) is not None and moving.status.state == "running":
            raise LibraryBusy(path=str(self._shelf.folder))

    def _begin(
        self, kind: LibraryWorkKind, model: str, work: Callable[[_Running], Awaitable[None]], *, key: str = ""
    ) -> LibraryWork:
        self.check_not_moving()
        key = key or f"{kind} {model}".strip()
        running = self._works.get(key)
        if running is None or running.task is None or running.task.done():
            self._works.pop(key, None)
            status = LibraryWork(key=key, kind=kind, model=model, state="running", done_bytes=0, total_bytes=0)
            running = self._works[key] = _Running(status)
            running.task = asyncio.create_task(self._run(running, work), name=key)
            self._events.publish("library_work", status)
            self._drop_old()
        return running.status

    async def _run(self, running: _Running, work: Callable[[_Running], Awaitable[None]]) -> None:
        try:
            await work(running)
        except LibraryWorkCancelled:
            running.status = replace(running.status, state="cancelled")
        except Exception as error:
            log.warning("%s failed: %s", running.status.kind, type(error).__name__)
            running.status = replace(running.status, state="failed", error=error_body(error))
        else:
            running.status = replace(running.status, state="done", done_bytes=running.status.total_bytes)
        self._events.publish("library_work", running.status)
        self._events.publish("models", {})

    def _work(self, running: _Running) -> Work:
        loop = asyncio.get_running_loop()

        def show(done: int, total: int) -> None:
            if running.status.state == "running":
                running.status = replace(running.status, done_bytes=done, total_bytes=total)
                self._events.publish("library_work", running.status)

        return Work(lambda done, total: _ask(loop, show, done, total), running.cancelled)

    async def _inside(self) -> list[str]:
        """Ids of the models in the models folder."""
        models = await asyncio.to_thread(self._shelf.models)
        return [model.id for model in models if model.place == "library"]

    async def _unload(self) -> None:
        await self._engines.unload_when_idle(await self._inside())

    async def _switch(self, folder: Path) -> None:
        await self._settings.change({"models_folder": str(folder)})
        self._on_moved(folder)
        self._events.publish("settings", {})

    async def _finish_move(self) -> None:
        if left := await asyncio.to_thread(self._shelf.finish_move):
            log.warning("a move of the models folder left %d files in the old one", len(left))

    def _drop_old(self) -> None:
        ended = [key for key, running in self._works.items() if running.status.state != "running"]
        for key in ended[:-_KEPT]:
            del self._works[key]


def _wait(future: Future[None], cancelled: threading.Event) -> None:
    """For a thread: raises LibraryWorkCancelled, and gives the waiting up, when the user does."""
    while True:
        try:
            return future.result(timeout=_POLL_SECONDS)
        except TimeoutError:
            if cancelled.is_set():
                future.cancel()
                raise LibraryWorkCancelled() from None


def _ask(loop: asyncio.AbstractEventLoop, show: Callable[[int, int], None], done: int, total: int) -> None:
    loop.call_soon_threadsafe(show, done, total)
