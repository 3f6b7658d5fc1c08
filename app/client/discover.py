"""Finds the running service of this user by its runtime file, and starts one when none answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

import app
from app import paths
from app.client.http import ServiceClient
from app.errors import RemoteError, ServiceStartFailed, ServiceUnreachable, Unauthorized
from app.values import Language
from resources.own_program import module_command

START_SECONDS = 30.0
POLL_SECONDS = 0.05
# A service that is starting or swapping may answer late, but a hung one must not hold its faces for long.
PROBE_SECONDS = 5.0
# The child ended without a word: another one may just have won the race for the lock and be about to answer.
GRACE_SECONDS = 3.0
DETACHED_ON_WINDOWS = 0x00000208  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP


def find_service(data_folder: Path, language: Language = "en") -> ServiceClient | None:
    """A client of the service that answers now, or None."""
    try:
        content = (data_folder / paths.runtime_file().name).read_bytes()
        info = msgspec.json.decode(content, type=paths.RuntimeInfo)
    except (OSError, msgspec.MsgspecError):
        return None
    client = ServiceClient(info.base_url, info.token, language)
    try:
        client.status(timeout_seconds=PROBE_SECONDS)
    except (ServiceUnreachable, Unauthorized, RemoteError):
        client.close()
        return None
    return client


def connect_or_start(data_folder: Path, language: Language = "en", options: Sequence[str] = ()) -> ServiceClient:
    """A client of the running service; starts the service when there is none, and waits until it answers.

    `options` are further arguments of `liangli serve`, for a service that has to be started. It lives on when this
    process ends. Raises ServiceStartFailed when it does not come up within 30 s.
    """
    return find_service(data_folder, language) or _start(data_folder, language, options)


def _start(data_folder: Path, language: Language, options: Sequence[str]) -> ServiceClient:
    log_path = data_folder / "logs" / "service.log"
    child = _launch(data_folder, log_path, options)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        client = find_service(data_folder, language)
        if client is not None:
            return client
        if child.poll() is not None:
            deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
        time.sleep(POLL_SECONDS)
    raise ServiceStartFailed(log_path=str(log_path))


def _launch(data_folder: Path, log_path: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start `liangli serve` in a session of its own, so that closing a terminal or the window does not end it."""
    log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [*module_command("app"), "serve", "--no-daemon", *options],
            cwd=Path(app.__file__).parents[1],  # where `-m app` can be found, also without an installation
            env=os.environ | {paths.HOME_VARIABLE: str(data_folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=sys.platform != "win32",
            creationflags=DETACHED_ON_WINDOWS if sys.platform == "win32" else 0,
        )
