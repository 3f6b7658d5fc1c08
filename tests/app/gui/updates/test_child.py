"""The window's child: what it says arrives, and its ends are told apart."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.gui.updates.child import UpdateChild
from app.updates.values import Failed, Fetched, Fetching, Line

FETCHED = Fetched(path="/data/量力.deb", kind="deb", sha256="", version="0.2.0")


@pytest.fixture
def child(qtbot: QtBot, fusion: None) -> Iterator[UpdateChild]:
    parent = QObject()
    yield UpdateChild(parent)
    del parent


def _will_run(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    command = (sys.executable, "-I", "-S", "-c", script)
    monkeypatch.setattr("app.gui.updates.child.module_command", lambda module: command)


def test_its_lines_arrive_whole(qtbot: QtBot, child: UpdateChild, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [Fetching(received_bytes=1, total_bytes=2), FETCHED]
    written = b"\n".join(msgspec.json.encode(line) for line in lines) + b"\nno JSON\n"
    _will_run(monkeypatch, f"import os; os.write(1, {written!r})")
    said: list[Line] = []
    child.said.connect(said.append)
    child.start("check")
    qtbot.waitUntil(lambda: len(said) == 2)
    assert said == lines


def test_a_silent_end_is_a_failure(qtbot: QtBot, child: UpdateChild, monkeypatch: pytest.MonkeyPatch) -> None:
    _will_run(monkeypatch, "import os; os._exit(3)")
    with qtbot.waitSignal(child.said) as arrived:
        child.start("check")
    assert arrived.args == [Failed(code="", fields={})]
    monkeypatch.setattr("app.gui.updates.child.module_command", lambda module: ("/no/such/program",))
    with qtbot.waitSignal(child.said) as arrived:
        child.start("check")
    assert arrived.args == [Failed(code="", fields={})]


def test_nothing_is_said_once_it_was_stopped(qtbot: QtBot, child: UpdateChild, monkeypatch: pytest.MonkeyPatch) -> None:
    _will_run(monkeypatch, "import time; time.sleep(60)")
    child.start("check")
    with qtbot.assertNotEmitted(child.said, wait=20):
        child.stop()
