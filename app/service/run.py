"""`liangli serve`: one service for this data folder, from lock to orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import paths
from app.local_models import open_library, prepare_models_folder
from app.logs import log_to_file
from app.planning.desk import PlanDesk
from app.service.downloads.remembered import RememberedDownload
from app.service.engines.interface import AnswerFigures
from app.service.engines.plan_maker import PlanMaker
from app.service.engines.residuals import ResidualBook
from app.service.kept_settings import KeptSettings
from app.service.lock import ServiceLock
from app.service.server import HttpServer, loopback_socket, stopped_by_signals
from app.service.service import Outside, Service
from app.service.shelf import LocalShelf
from app.service.token import kept_token
from hardware_probe.probe import probe_memory
from inference.worker.client import start_engine
from models_catalog.starter import Starter
from models_catalog.transfer.progress import FetchProgress

log = logging.getLogger(__name__)


def serve(
    data_folder: Path, *, port: int | None = None, token: str | None = None, outside: Outside | None = None
) -> int:
    """Run the service until SIGTERM, SIGINT or POST /shutdown; returns 0.

    port None: the one of the settings; when it is taken another is used. token None: the one of the data folder.
    outside: other engines, disk and network than the product's. Raises AlreadyRunning, DataFolderUnusable,
    DatabaseNewer and SettingInvalid, always before anything listens. To be called from the main thread.
    """
    # Every part, engine children too, finds its files through app.paths.
    os.environ[paths.HOME_VARIABLE] = str(data_folder.absolute())
    folder = paths.prepare_data_folder()
    lock = ServiceLock(paths.lock_file())
    lock.take()
    try:
        log_to_file(paths.logs_folder(), "service")
        settings = KeptSettings(paths.settings_file())
        prepare_models_folder(settings.now)
        asyncio.run(_serve(folder, port, token or kept_token(folder), settings, outside or product(settings)))
    finally:
        lock.release()
    return 0


async def _serve(folder: Path, port: int | None, token: str, settings: KeptSettings, outside: Outside) -> None:
    service = Service(
        data_folder=folder,
        models_folder=outside.shelf.folder,
        chats_file=paths.chats_file(),
        settings=settings,
        outside=outside,
    )
    await service.open()
    listening = loopback_socket(settings.now.port if port is None else port)
    bound_port = int(listening.getsockname()[1])
    stop: Callable[[], None] = lambda: server.stop()  # noqa: E731
    server = HttpServer(service.application(port=bound_port, token=token, shut_down=lambda: stop()), listening)
    info = paths.RuntimeInfo(base_url=f"http://127.0.0.1:{bound_port}", token=token, pid=os.getpid())

    def announce() -> None:
        paths.write_runtime(info)
        log.info("listening on %s", info.base_url)

    # Beside the start: whoever started the service is about to ask for a model.
    preparing = asyncio.create_task(outside.desk.prepare(), name="prepare plans")
    try:
        with stopped_by_signals(server.stop):
            await server.run(when_listening=announce, before_end=service.close)
    finally:
        preparing.cancel()
        paths.remove_runtime(info.pid)
        log.info("ended")


def product(settings: KeptSettings) -> Outside:
    """The real engines, disk and network."""
    library = open_library(lambda: settings.now)

    def fetch(starter: Starter, models_folder: Path, **how: Any) -> Path:
        library.check_folder()
        return _fetch(starter, models_folder, **how)

    desk = PlanDesk(models_folder=library.folder, planning_folder=paths.planning_folder())
    residuals = ResidualBook(paths.planning_folder() / "residuals.json")
    return Outside(
        start_engine=start_engine,
        make_plan=PlanMaker(desk, residuals),
        desk=desk,
        shelf=LocalShelf(library),
        fetch=fetch,
        download=RememberedDownload(library),
        available_bytes=lambda: probe_memory().available_bytes,
        on_measured=residuals.observe,
        on_answer=lambda figures: _learn(desk, figures),
    )


def _fetch(
    starter: Starter,
    models_folder: Path,
    *,
    progress: Callable[[FetchProgress], None],
    cancelled: threading.Event,
) -> Path:
    # Imported when it is needed: its HTTP client is memory that an idle service can do without.
    from models_catalog.transfer.fetch import fetch

    return fetch(starter, models_folder, progress=progress, cancelled=cancelled)


def _learn(desk: PlanDesk, figures: AnswerFigures) -> None:
    if figures.alone:
        desk.experience.answered(
            figures.planned.plan.model_path,
            figures.architecture,
            prompt=(figures.prompt_tokens, figures.prefill_seconds),
            completion=(figures.completion_tokens, figures.decode_seconds),
            depth_tokens=figures.depth_tokens,
            unevenness=figures.unevenness,
        )
