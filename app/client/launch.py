"""Starts the service as a program of its own. Imports little: who needs a service starts it first of all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import app
from app import paths
from app.values import Language
from resources.own_program import module_command

DETACHED_ON_WINDOWS = 0x00000208  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP


def service_log(data_folder: Path) -> Path:
    """Where a service that is started here writes what it says."""
    return data_folder / "logs" / "service.log"


def in_language(language: Language, options: Sequence[str]) -> list[str]:
    """Options of `serve` for a service that speaks as its face does, should it have to say why it does not start."""
    return ["--lang", language, *options]


def launch(data_folder: Path, options: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start `liangli serve` in a session of its own, so that closing a terminal or the window does not end it.

    Returns at once. Where a service runs already, the new one ends by itself. Raises DataFolderUnusable,
    PortableFolderUnusable.
    """
    paths.prepare_data_folder(data_folder)
    with service_log(data_folder).open("ab") as log:
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
