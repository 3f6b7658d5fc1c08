"""Runs the measuring of this computer's speed in a process of its own; whoever waits is told how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from app.errors import CalibrationFailed
from inference.worker.environment import child_environment
from resources.own_program import module_command

COMMAND = module_command("inference.backends.llama_cpp.calibration")
SECONDS = 8.0
# Beside what was asked for: start of the process, and a computer that is busy otherwise.
_PATIENCE_SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[2]


async def run_calibration(
    out: Path,
    *,
    threads: Sequence[int],
    cpu_name: str,
    on_progress: Callable[[float], None],
    command: Sequence[str] = COMMAND,
    seconds: float = SECONDS,
) -> None:
    """Leaves the result in `out`. on_progress gets fractions 0..1. Cancelling ends the process.

    Raises CalibrationFailed.
    """
    arguments = ("--threads", ",".join(map(str, threads)), "--seconds", str(seconds), "--cpu", cpu_name)
    process = await asyncio.create_subprocess_exec(
        *command,
        str(out),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=child_environment(os.environ),
        start_new_session=True,
    )
    assert process.stdout is not None and process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(seconds + _PATIENCE_SECONDS):
            async for line in process.stdout:
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    on_progress(min(1.0, float(json.loads(line)["done"])))
            code = await process.wait()
    except TimeoutError:
        raise CalibrationFailed(detail="no end") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        last = (await errors).decode("utf-8", "replace").strip().splitlines()[-1:]
    if code != 0:
        raise CalibrationFailed(detail=last[0] if last else f"exit code {code}")
