"""Finding and starting the service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.client import discover
from app.errors import ServiceStartFailed

STATUS = {
    "version": "1",
    "pid": 1,
    "base_url": "",
    "data_folder": "",
    "engines": [],
    "total_memory_bytes": 1,
    "available_memory_bytes": 1,
    "service_memory_bytes": 1,
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        good = self.headers["Authorization"] == "Bearer t"
        body = json.dumps(STATUS if good else {}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def write_runtime(folder: Path, address: str, token: str) -> None:
    (folder / "runtime.json").write_text(json.dumps({"base_url": address, "token": token, "pid": 1}))


def test_finds_the_service_that_answers(tmp_path: Path, address: str) -> None:
    write_runtime(tmp_path, address, "t")
    client = discover.find_service(tmp_path)
    assert client is not None
    assert client.base_url == address
    client.close()


def test_ignores_what_does_not_answer(tmp_path: Path, address: str) -> None:
    assert discover.find_service(tmp_path) is None
    write_runtime(tmp_path, address, "another token")
    assert discover.find_service(tmp_path) is None
    write_runtime(tmp_path, "http://127.0.0.1:9", "t")
    assert discover.find_service(tmp_path) is None
    (tmp_path / "runtime.json").write_text("{")
    assert discover.find_service(tmp_path) is None


def test_starts_a_service_and_waits_for_it(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    content = json.dumps({"base_url": address, "token": "t", "pid": 1})
    script.write_text(f'#!/bin/sh\necho \'{content}\' > "$LIANGLI_HOME/runtime.json"\necho "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    with discover.connect_or_start(tmp_path) as client:
        assert client.base_url == address
    assert "-m app serve" in (tmp_path / "logs" / "service.log").read_text()


def test_a_service_that_ends_at_once_is_reported_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    monkeypatch.setattr(discover, "GRACE_SECONDS", 0.05)
    with pytest.raises(ServiceStartFailed) as caught:
        discover.connect_or_start(tmp_path)
    assert caught.value.log_path == str(tmp_path / "logs" / "service.log")


@pytest.mark.parametrize(
    ("last", "said"),
    [("error: The chats are newer.", "The chats are newer."), ("错误：对话更新。", "对话更新。"), ("2026 INFO on", "")],
)
def test_what_it_said_last_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str, said: str) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho earlier\necho '{last}'\nexit 17\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    monkeypatch.setattr(discover, "GRACE_SECONDS", 0.05)
    with pytest.raises(ServiceStartFailed) as caught:
        discover.connect_or_start(tmp_path)
    assert caught.value.said == said
