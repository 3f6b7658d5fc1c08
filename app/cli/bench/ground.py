"""Where the benchmark runs: a service of its own in a temporary data folder, with the model used where it lies."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

import app
from app import paths
from app.cli.bench.answers import Server
from app.client.discover import find_service
from app.client.http import ServiceClient
from app.errors import ServiceStartFailed
from app.planning.desk import PlanDesk
from app.settings import save_settings
from inference.planning.values import Wish
from inference.values import LoadPlan

# The same for everything that is compared, also where the planner would choose another.
CONTEXT_TOKENS = 4096
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the user wants measured. rounds None: each part's own number. say: reports progress to the person."""

    model_path: Path
    peer: Path | None
    rounds: int | None
    say: Callable[[str], None]

    def rounds_or(self, usual: int) -> int:
        """The rounds that were asked for, else the part's usual number."""
        return self.rounds or usual

    def plan(self) -> LoadPlan:
        """How the service loads the model on this computer, by the same planner."""
        return asyncio.run(self._plan())

    async def _plan(self) -> LoadPlan:
        desk = PlanDesk(models_folder=self.model_path.parent, planning_folder=paths.planning_folder())
        try:
            return (await desk.plan_file(self.model_path, Wish(context_tokens=CONTEXT_TOKENS))).plan
        finally:
            await desk.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A running private service. folder: its data folder; model: the id under which it knows the model."""

    client: ServiceClient
    pid: int
    folder: Path
    model: str

    def server(self) -> Server:
        """The service as one of the servers that are compared."""
        return Server(
            name="liangli", base_url=self.client.base_url, token=self.client.token, model=self.model, extra={}
        )

    def load(self) -> None:
        """Load the model with the benchmark's context; returns when it can answer."""
        self.client.load_engine(self.model, CONTEXT_TOKENS)

    def engine_pid(self) -> int | None:
        """The engine child that answers now."""
        return next((engine.pid for engine in self.client.status().engines if engine.pid is not None), None)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A data folder that is gone afterwards, with the settings of the benchmark."""
    folder = Path(tempfile.mkdtemp(prefix="liangli-bench-"))
    try:
        save_settings(folder / paths.settings_file().name, {"port": 0, "context_tokens": CONTEXT_TOKENS})
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def private_service(model_path: Path) -> Iterator[Ground]:
    """Start a service and make the model known to it; at the end it and all that it started are gone."""
    with temporary_folder() as folder, running_service(folder) as (client, pid):
        model = client.import_model(str(model_path)).id
        yield Ground(client=client, pid=pid, folder=folder, model=model)


@contextmanager
def running_service(folder: Path) -> Iterator[tuple[ServiceClient, int]]:
    """A service on this data folder: a client of it and its process id. Raises ServiceStartFailed."""
    log_path = folder / "service-output.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            liangli_command("serve", "--no-daemon"),
            env=environment(folder),
            cwd=source_folder(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        client = _wait_for_service(folder, process, log_path)
        with client:
            yield client, process.pid
    finally:
        _end(process)


def liangli_command(*arguments: str) -> list[str]:
    """The command line of `liangli ARGUMENTS`, by this very Python."""
    return [sys.executable, "-m", "app", *arguments]


def environment(folder: Path) -> dict[str, str]:
    """Our environment, with the data folder changed."""
    return os.environ | {paths.HOME_VARIABLE: str(folder)}


def source_folder() -> Path:
    """Where `python -m app` finds the app, installed or not."""
    return Path(app.__file__).parents[1]


def stop_service(folder: Path) -> None:
    """End the service of this data folder, if one runs, and wait until it is gone."""
    client = find_service(folder)
    if client is None:
        return
    with client:
        process = psutil.Process(client.status().pid)
        client.shutdown()
    process.wait(_STOP_SECONDS)


def _wait_for_service(folder: Path, process: subprocess.Popen[bytes], log_path: Path) -> ServiceClient:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        client = find_service(folder)
        if client is not None:
            return client
        time.sleep(_POLL_SECONDS)
    raise ServiceStartFailed(log_path=str(log_path))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kindly first; whatever is left after that is killed, engine children included."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
