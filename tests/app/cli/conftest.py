"""Fixtures of the terminal's tests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import paths
from app.paths import RuntimeInfo
from tests.app.cli.fake_service import FakeService


@pytest.fixture(autouse=True)
def quiet_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, English, nobody at the keyboard."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.delenv("LIANGLI_DEBUG", raising=False)
    monkeypatch.setattr("app.cli.connection.launch", lambda *_: None)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    return tmp_path / "home"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    """A running service that every command finds."""
    fake = FakeService()
    monkeypatch.setattr("app.client.discover.connect_or_start", lambda *_, **__: fake.client())
    monkeypatch.setattr("app.client.discover.find_service", lambda folder, language: fake.client())
    paths.prepare_data_folder()
    paths.write_runtime(RuntimeInfo(base_url="http://127.0.0.1:11466", token="t0ken", pid=1))
    yield fake
    fake.events.put(None)
