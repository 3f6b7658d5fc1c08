"""`liangli stop`: ends the service and with it the loaded models."""

from __future__ import annotations

import argparse
import time

from app.cli.connection import find
from app.cli.screen import note
from app.values import Language
from resources.wording import text

WAIT_SECONDS = 15.0
POLL_SECONDS = 0.05


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    subparsers.add_parser("stop", help=text("cli.stop.help", language))


def run(args: argparse.Namespace) -> int:
    """Returns when the service's process has ended, or after 15 s. That none runs is no error."""
    client = find(args.language)
    if client is None:
        note(text("cli.status.not_running", args.language))
        return 0
    with client:
        pid = client.status().pid
        client.shutdown()
    deadline = time.monotonic() + WAIT_SECONDS
    while _is_alive(pid):
        if time.monotonic() > deadline:
            note(text("cli.stop.slow", args.language, pid=pid))
            return 0
        time.sleep(POLL_SECONDS)
    note(text("cli.stop.stopped", args.language))
    return 0


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
