"""Keeping the connection, and crossing from threads into Qt."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from app.errors import ServiceStartFailed, ServiceUnreachable
from app.gui import link as link_module
from app.gui.link import Ended, Failed, LinkState, Lost, Online, ServiceLink, Starting
from tests.app.gui.fake_service import FakeService


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "RETRY_SECONDS", 0.01)


@pytest.fixture
def link(qapp: object, service: FakeService) -> Iterator[ServiceLink]:
    link = ServiceLink(service.connect)
    yield link
    link.close()
    service.end()
    link.wait_ended(5)


def states_of(link: ServiceLink) -> list[type[LinkState]]:
    states: list[type[LinkState]] = []
    link.state_changed.connect(lambda state: states.append(type(state)))
    return states


def test_a_broken_connection_is_made_again(qtbot: QtBot, link: ServiceLink, service: FakeService) -> None:
    states = states_of(link)
    link.open()
    qtbot.waitUntil(lambda: states == [Starting, Online])
    service.end()
    qtbot.waitUntil(lambda: states == [Starting, Online, Lost, Online])
    assert service.connections == 2


def test_a_service_that_was_stopped_is_started_only_when_wanted(
    qtbot: QtBot, link: ServiceLink, service: FakeService
) -> None:
    states = states_of(link)
    link.open()
    service.send_event("bye", {})
    service.end()
    qtbot.waitUntil(lambda: states == [Starting, Online, Ended])
    assert service.connections == 1
    link.retry()
    qtbot.waitUntil(lambda: states[3:] == [Starting, Online])


def test_a_service_that_does_not_start_is_said_and_tried_again(
    qtbot: QtBot, link: ServiceLink, service: FakeService
) -> None:
    states = states_of(link)
    service.connect_error = ServiceStartFailed(log_path="/x")
    link.open()
    qtbot.waitUntil(lambda: states == [Starting, Failed])
    service.connect_error = None
    link.retry()
    qtbot.waitUntil(lambda: states[2:] == [Starting, Online])


def test_calls_run_elsewhere_and_arrive_in_the_qt_thread(qtbot: QtBot, link: ServiceLink) -> None:
    link.open()
    here = threading.current_thread()
    seen: list[object] = []
    qtbot.waitUntil(lambda: link._client is not None)
    link.ask(lambda client: threading.current_thread(), lambda thread: seen.extend((thread, QThread.currentThread())))
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen[0] is not here
    assert seen[1] is link.thread()


def test_a_call_without_a_service_fails_softly(qtbot: QtBot, link: ServiceLink) -> None:
    with qtbot.waitSignal(link.trouble) as caught:
        link.ask(lambda client: client.chats())
    assert isinstance(caught.args[0], ServiceUnreachable)


def test_a_bug_in_a_call_is_trouble_and_not_the_end(
    qtbot: QtBot, link: ServiceLink, caplog: pytest.LogCaptureFixture
) -> None:
    link.open()
    qtbot.waitUntil(lambda: link._client is not None)
    with qtbot.waitSignal(link.trouble) as caught:
        link.ask(lambda client: 1 // 0)
    assert isinstance(caught.args[0], ZeroDivisionError)
