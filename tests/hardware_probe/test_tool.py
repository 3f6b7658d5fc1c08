"""Tools that are absent, slow, endless, broken, or leave children behind."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from hardware_probe.tool import run_tool


def _tool(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!{sys.executable} -S\n{script}")
    path.chmod(0o755)
    return str(path)


def test_what_it_prints(tmp_path: Path) -> None:
    answer = run_tool((_tool(tmp_path, "tool", "import sys\nprint('显存', *sys.argv[1:])"), "--json"), 10)
    assert (answer.ending, answer.output, answer.exit_code) == ("done", "显存 --json\n", 0)


def test_a_tool_that_is_not_there() -> None:
    assert run_tool(("no-such-tool-anywhere",), 10).ending == "absent"


def test_a_tool_that_fails_is_still_heard(tmp_path: Path) -> None:
    answer = run_tool((_tool(tmp_path, "tool", "print('half')\nraise SystemExit(3)"),), 10)
    assert (answer.ending, answer.output, answer.exit_code) == ("failed", "half\n", 3)


def test_a_file_that_cannot_be_run(tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o755)
    assert run_tool((str(path),), 10).ending == "failed"


def test_a_tool_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    script = f"""
import os, time
if os.fork() == 0:
    time.sleep(0.5)
    open({str(mark)!r}, "w").close()
time.sleep(60)
"""
    started = time.monotonic()
    assert run_tool((_tool(tmp_path, "tool", script),), 0.3).ending == "too_slow"
    assert time.monotonic() - started < 2
    time.sleep(max(0.0, started + 0.9 - time.monotonic()))
    assert not mark.exists()


def test_a_tool_that_ends_but_leaves_its_output_open(tmp_path: Path) -> None:
    script = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n"
    assert run_tool((_tool(tmp_path, "tool", script),), 0.3).ending == "too_slow"


def test_a_flood_is_cut_off(tmp_path: Path) -> None:
    tool = _tool(tmp_path, "tool", "import sys\nwhile True:\n    sys.stdout.write('x' * 100_000)")
    assert run_tool((tool,), 20, max_output_bytes=1_000_000).ending == "too_much"


@pytest.mark.parametrize("raw", [rb"\xff\xfe", rb"\x00"])
def test_bytes_that_are_no_text(tmp_path: Path, raw: bytes) -> None:
    script = f"import sys\nsys.stdout.buffer.write(b'{raw.decode()}ok')"
    assert run_tool((_tool(tmp_path, "tool", script),), 10).output.endswith("ok")
