"""The whole process: started as a program, asked over HTTP, ended by signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

PROGRAM = """
import sys
from pathlib import Path
from app.service.run import serve
sys.exit(serve(Path(sys.argv[1]), port=int(sys.argv[2])))
"""


@contextmanager
def service(folder: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), str(port)])
    try:
        runtime = folder / "runtime.json"
        deadline = time.monotonic() + 30
        while not runtime.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        yield process, json.loads(runtime.read_text())
    finally:
        process.kill()
        process.wait()


def ask(info: dict[str, Any], path: str, method: str = "GET") -> httpx.Response:
    headers = {"Authorization": f"Bearer {info['token']}"}
    return httpx.request(method, info["base_url"] + path, headers=headers, trust_env=False)


def test_a_service_from_start_to_end(tmp_path: Path) -> None:
    folder = tmp_path / "数据 data"
    with service(folder) as (process, info):
        assert info["pid"] == process.pid
        assert (folder / "runtime.json").stat().st_mode & 0o077 == 0
        status = ask(info, "/liangli/v1/status").json()
        assert (status["pid"], status["base_url"], status["data_folder"]) == (
            process.pid,
            info["base_url"],
            str(folder),
        )
        assert status["service_memory_bytes"] < 130_000_000
        second = subprocess.run([sys.executable, "-c", PROGRAM, str(folder), "0"], capture_output=True, timeout=30)
        assert b"AlreadyRunning" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not (folder / "runtime.json").exists()
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, service(folder, taken.getsockname()[1]) as (process, again):
        assert again["base_url"] != f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert again["token"] == info["token"]
        assert ask(again, "/liangli/v1/shutdown", "POST").status_code == 202
        assert process.wait(10) == 0
    assert "cannot be used" in (folder / "logs" / "service.log").read_text()


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_after_a_kill_the_next_one_starts(tmp_path: Path) -> None:
    with service(tmp_path) as (process, _):
        process.kill()
        process.wait()
    (tmp_path / "runtime.json").unlink()
    with service(tmp_path) as (process, info):
        assert ask(info, "/v1/models").json() == {"object": "list", "data": []}
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
