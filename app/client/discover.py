"""Finds the running service of this user by its runtime file, and starts one when none answers."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app import paths
from app.client.http import ServiceClient
from app.client.launch import in_language, launch, service_log
from app.errors import RemoteError, ServiceStartFailed, ServiceUnreachable, Unauthorized
from app.values import Language
from resources.wording import text

START_SECONDS = 30.0
POLL_SECONDS = 0.01
# A service that is starting or swapping may answer late, but a hung one must not hold its faces for long.
PROBE_SECONDS = 5.0
# The child ended without a word: another one may just have won the race for the lock and be about to answer.
GRACE_SECONDS = 3.0
LANGUAGES: tuple[Language, ...] = ("zh", "en")
_LAST_WORDS_BYTES = 4096


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


def connect_or_start(
    data_folder: Path,
    language: Language = "en",
    options: Sequence[str] = (),
    *,
    started: subprocess.Popen[bytes] | None = None,
) -> ServiceClient:
    """A client of the running service; starts the service when there is none, and waits until it answers.

    `options` are further arguments of `liangli serve`, for a service that has to be started; `started` is one that the
    caller has launched already. It lives on when this process ends. Raises ServiceStartFailed when it does not come up
    within 30 s.
    """
    if started is None:
        client = find_service(data_folder, language)
        if client is not None:
            return client
    return _wait(data_folder, language, started or launch(data_folder, in_language(language, options)))


def _wait(data_folder: Path, language: Language, child: subprocess.Popen[bytes]) -> ServiceClient:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        client = find_service(data_folder, language)
        if client is not None:
            return client
        if child.poll() is not None:
            deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
        time.sleep(POLL_SECONDS)
    log = service_log(data_folder)
    raise ServiceStartFailed(log_path=str(log), said=_last_words(log) if child.poll() else "")


def _last_words(log: Path) -> str:
    """What a service that ended with an error said of it; "" where its last line is another one."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LAST_WORDS_BYTES))
            lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    for language in LANGUAGES:
        said = text("cli.program.error", language, message="").strip()
        if lines and lines[-1].startswith(said):
            return lines[-1].removeprefix(said).strip()
    return ""
