"""The engine is asked in a child that may hang, crash or say nonsense."""

from __future__ import annotations

import os
import sys

import pytest

from inference.engine_report import EngineReport, ask_engine, is_illegal

DONE = '{"ggml": "0.25.3", "separate": true, "cpu_variant": "zen4", "variants": [{"name": "zen4", "score": 9}]}'


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        (f"print('{DONE}')", "done"),
        ("print('[]')", "failed"),
        ("import sys; sys.exit(3)", "failed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "illegal_instruction"),
        ("import os; os.abort()", "failed"),
        ("import time; time.sleep(60)", "hangs"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_however_the_child_ends_there_is_a_report(program: str, ending: str) -> None:
    limit_seconds = 0.3 if ending == "hangs" else 20.0
    # -S -I: a Python that starts at once.
    report = ask_engine(os.environ, command=(sys.executable, "-S", "-I", "-c", program), limit_seconds=limit_seconds)
    assert report.ending == ending
    assert (report.cpu_variant == "zen4") == (ending == "done")


def test_the_real_engine_tells_of_itself() -> None:
    report = ask_engine()
    assert report.ending == "done" and report.unsound == "" and report.ggml
    assert [device.type for device in report.devices].count("CPU") == 1
    assert report != EngineReport()


def test_an_illegal_instruction_on_both_systems() -> None:
    assert is_illegal(-4) and is_illegal(0xC000001D) and not is_illegal(-11) and not is_illegal(None)
