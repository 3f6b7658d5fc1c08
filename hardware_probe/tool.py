"""Runs a vendor's tool as a short-lived child: never longer than its limit, never more output than can be kept."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

# The longest honest answer is that of `vulkaninfo` on several cards: some hundred kilobytes.
MAX_OUTPUT_BYTES = 8_000_000
# Children that are Python modules find this package from here, wherever the user's shell stands.
_HOME = Path(__file__).resolve().parents[1]

Ending = Literal["done", "failed", "too_slow", "too_much", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """What a tool wrote to standard output, and how it ended; absent: there is no such program.

    exit_code: as `subprocess` gives it, minus the signal's number where one ended it.
    """

    output: str = ""
    ending: Ending = "done"
    exit_code: int | None = None


ABSENT = ToolAnswer(ending="absent")


def run_tool(
    command: Sequence[str],
    limit_seconds: float,
    *,
    max_output_bytes: int = MAX_OUTPUT_BYTES,
    environment: Mapping[str, str] = os.environ,
) -> ToolAnswer:
    """Run the program; one that is not installed costs no process. Raises nothing that a tool can cause.

    A program that takes too long, or writes too much, is killed with all its children. Its messages come in English
    where it speaks several languages.
    """
    program = shutil.which(command[0])
    if program is None:
        return ABSENT
    try:
        process = subprocess.Popen(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_HOME,
            env={**environment, "LC_ALL": "C"},
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return ToolAnswer(ending="failed")
    assert process.stdout is not None
    reading = _Reading(process.stdout, max_output_bytes)
    reading.join(limit_seconds)
    full = len(reading.content) > max_output_bytes
    if reading.is_alive() or full:
        _kill(process)
        return ToolAnswer(ending="too_much" if full else "too_slow")
    try:
        code = process.wait(timeout=max(0.1, limit_seconds))
    except subprocess.TimeoutExpired:
        _kill(process)
        return ToolAnswer(ending="too_slow")
    output = reading.content.decode("utf-8", "replace")
    return ToolAnswer(output=output, ending="done" if code == 0 else "failed", exit_code=code)


class _Reading(threading.Thread):
    """Reads a pipe to its end, or one byte beyond the limit; a daemon, for a dead driver may never close the pipe."""

    def __init__(self, pipe: IO[bytes], limit: int) -> None:
        super().__init__(daemon=True, name="liangli-tool-output")
        self.content = b""
        self._pipe, self._limit = pipe, limit
        self.start()

    def run(self) -> None:
        with self._pipe:
            self.content = self._pipe.read(self._limit + 1)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """A process that waits for a broken driver cannot be killed: it is left behind, and not waited for."""
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=0.2)
    except (OSError, subprocess.TimeoutExpired):
        return
