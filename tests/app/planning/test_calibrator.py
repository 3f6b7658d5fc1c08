from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from app.errors import CalibrationFailed
from app.planning.calibrator import run_calibration

HALF_THEN_DONE = (
    "import sys, pathlib; print('{\"done\": 0.5}'); print('noise'); pathlib.Path(sys.argv[1]).write_text('x')"
)
FAILS = "import sys; sys.exit('no such kernel')"
HANGS = "import time; print('{\"done\": 0.1}', flush=True); time.sleep(60)"


async def run(program: str, out: Path, told: list[float], seconds: float = 1.0) -> None:
    command = (sys.executable, "-c", program)
    await run_calibration(
        out, threads=(1, 2), cpu_name="cpu", on_progress=told.append, command=command, seconds=seconds
    )


async def test_progress_is_told_and_noise_is_not(tmp_path: Path) -> None:
    told: list[float] = []
    await run(HALF_THEN_DONE, tmp_path / "out", told)
    assert told == [0.5] and (tmp_path / "out").read_text() == "x"


async def test_a_failure_is_told_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(CalibrationFailed) as failure:
        await run(FAILS, tmp_path / "out", [])
    assert failure.value.detail == "no such kernel"


async def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    told: list[float] = []
    begun = asyncio.Event()

    async def measure() -> None:
        command = (sys.executable, "-c", HANGS)
        await run_calibration(
            tmp_path / "out", threads=(1,), cpu_name="", on_progress=lambda done: begun.set(), command=command
        )

    task = asyncio.create_task(measure())
    await asyncio.wait_for(begun.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert told == []
