"""Part `start`: how long `liangli run` takes to its first word, with no service running and with the model loaded."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from app.cli.bench.figures import Figure, Report, at_most
from app.cli.bench.ground import (
    Setting,
    environment,
    liangli_command,
    source_folder,
    stop_service,
    temporary_folder,
)
from app.cli.bench.prompts import load_prompts
from app.cli.bench.quiet import ForeignLoad

ROUNDS = 5
MAX_TOKENS = 8


class NoAnswer(Exception):
    """`liangli run` ended without a word on standard output; the message is its exit code."""


def measure(setting: Setting) -> Report:
    """Cold: no service, no engine; the file may be in the system's disk cache. Warm: right after, both are there.

    Every question is a new one, so that only the template's own beginning can be known to the engine.
    """
    short = load_prompts().short
    load = ForeignLoad()
    cold: list[float] = []
    warm: list[float] = []
    with temporary_folder() as folder:
        try:
            for number in range(setting.rounds_or(ROUNDS)):
                setting.say(f"start: {number + 1}")
                load.look()
                cold.append(first_byte_seconds(folder, setting.model_path, f"{2 * number + 1}. {short}"))
                load.look()
                warm.append(first_byte_seconds(folder, setting.model_path, f"{2 * number + 2}. {short}"))
                stop_service(folder)
        finally:
            stop_service(folder)
    return Report(
        part="start",
        figures=(
            Figure(name="start_cold", unit="seconds", values=tuple(cold), goal=at_most(3.0)),
            Figure(name="start_warm", unit="seconds", values=tuple(warm), goal=at_most(0.5)),
        ),
        remarks=load.remarks(),
        foreign_cores=tuple(load.samples),
        setting={"max_tokens": MAX_TOKENS},
    )


def first_byte_seconds(folder: Path, model_path: Path, prompt: str) -> float:
    """From spawning `liangli run` to the first byte of the answer. Raises NoAnswer."""
    command = liangli_command(
        *("run", prompt, "--file", str(model_path)),
        *("--temperature", "0", "--max-tokens", str(MAX_TOKENS), "--lang", "en"),
    )
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        env=environment(folder),
        cwd=source_folder(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)
        seconds = time.perf_counter() - began
        process.stdout.read()
    if not first or process.returncode != 0:
        raise NoAnswer(str(process.returncode))
    return seconds
