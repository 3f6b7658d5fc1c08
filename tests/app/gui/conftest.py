"""The window's tests run without a display and against a service that lives in the test's own process."""

from __future__ import annotations

import gc
import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.link import ServiceLink
from app.gui.look import Look
from app.gui.session import Session
from app.gui.window import MainWindow
from tests.app.gui.fake_service import FakeService


@pytest.fixture(scope="session", autouse=True)
def what_was_imported_is_no_garbage() -> None:
    """Half a million objects of all test modules would be gone through after each test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def garbage_of_the_qt_thread() -> Iterator[None]:
    """Widgets must not be destroyed by a collection that happens to run in a background thread."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(scope="session")
def fusion(qapp: QApplication) -> None:
    qapp.setStyle("Fusion")


@pytest.fixture
def look(fusion: None) -> Look:
    return Look("zh", "light")


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def session(qtbot: QtBot, look: Look, service: FakeService) -> Iterator[Session]:
    """A session that is online."""
    link = ServiceLink(service.connect)
    session = Session(link)
    link.open()
    qtbot.waitUntil(lambda: session.online and session.models is not None)
    yield session
    link.close()
    service.end()
    link.wait_ended(5)


@pytest.fixture
def window(qtbot: QtBot, look: Look, session: Session) -> MainWindow:
    window = MainWindow(look, session)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    session.models_changed.emit()
    return window
