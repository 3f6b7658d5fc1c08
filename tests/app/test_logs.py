"""The log file."""

from __future__ import annotations

import logging
import logging.handlers
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.logs import log_to_file


@pytest.fixture(autouse=True)
def undisturbed_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:], root.level = handlers, level


def test_records_reach_a_private_file(tmp_path: Path) -> None:
    path = log_to_file(tmp_path, "service")
    logging.getLogger("app.service").info("engine ready after %.1f s", 1.5)
    logging.getLogger("httpx").info("POST with everything in it")
    written = path.read_text(encoding="utf-8")
    assert "engine ready after 1.5 s" in written
    assert "POST" not in written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_debug_records_only_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIANGLI_DEBUG", raising=False)
    path = log_to_file(tmp_path, "service")
    logging.getLogger("app").debug("detail")
    assert path.read_text() == ""
    monkeypatch.setenv("LIANGLI_DEBUG", "1")
    log_to_file(tmp_path, "service")
    logging.getLogger("app").debug("detail")
    assert "detail" in path.read_text()


def test_the_file_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.logs.FILE_BYTES", 2000)
    log_to_file(tmp_path, "service")
    for number in range(200):
        logging.getLogger("app").warning("event %d of many", number)
    assert {path.name for path in tmp_path.iterdir()} == {
        "service.log",
        "service.log.1",
        "service.log.2",
        "service.log.3",
    }
