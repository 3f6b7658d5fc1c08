"""`liangli serve`: one service for this data folder, from lock to orderly end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app import paths
from app.engine_choice.choice import EngineChoice
from app.logs import log_to_file
from app.service.engine_choice import ChosenEngine
from app.service.kept_settings import KeptSettings
from app.service.lock import ServiceLock
from app.service.token import kept_token
from inference.plan_worker.client import PlanWorker
from inference.worker.starter import EngineStarter

if TYPE_CHECKING:
    from app.service.service import Outside

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
        asyncio.run(_serve(folder, port, token or kept_token(folder), settings, outside))
    finally:
        lock.release()
    return 0


async def _serve(folder: Path, port: int | None, token: str, settings: KeptSettings, outside: Outside | None) -> None:
    if outside is not None:
        await _serve_with(outside, folder, port, token, settings)
        return
    engines, worker = EngineStarter(), PlanWorker()
    engine = ChosenEngine(engines, EngineChoice(folder), settings.now)
    try:
        # Whoever started the service is about to ask for a model. The children that will plan and hold it load their
        # libraries while this process loads its own.
        engine.prepare()
        await worker.start()
        # Classes and functions without end, and no garbage among them: looking for some takes a tenth of the time.
        gc.disable()
        from app.local_models import prepare_models_folder
        from app.service.product import product

        prepare_models_folder(settings.now)
        await _serve_with(product(settings, engine, worker), folder, port, token, settings)
    finally:
        await engine.close()
        await engines.close()
        await worker.close()


async def _serve_with(outside: Outside, folder: Path, port: int | None, token: str, settings: KeptSettings) -> None:
    from app.service.server import HttpServer, loopback_socket, stopped_by_signals
    from app.service.service import Service

    gc.enable()
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
