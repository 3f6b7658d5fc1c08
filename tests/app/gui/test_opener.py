"""Files and addresses that the window is asked to open."""

from __future__ import annotations

import os

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.dialogs import Told
from app.gui.discover.page import DiscoverPage
from app.gui.link import Starting
from app.gui.opener import Opener
from app.gui.session import Session
from app.gui.window import MainWindow
from tests.app.gui.discover.discover_service import DiscoverService


@pytest.fixture
def service() -> DiscoverService:
    return DiscoverService()


@pytest.fixture
def opener(window: MainWindow, session: Session) -> Opener:
    return Opener(window, session)


def names(service: DiscoverService) -> list[str]:
    return [name for name, _ in service.calls]


def test_a_file_is_imported(qtbot: QtBot, opener: Opener, service: DiscoverService) -> None:
    opener.open(["/models/模型.gguf"], token="t1")
    qtbot.waitUntil(lambda: ("import", "/models/模型.gguf") in service.calls)
    assert os.environ.pop("XDG_ACTIVATION_TOKEN", "t1") == "t1"


def test_a_file_waits_for_the_service(qtbot: QtBot, opener: Opener, session: Session, service: DiscoverService) -> None:
    online, session.state = session.state, Starting()
    opener.open(["/models/a.gguf"])
    assert "import" not in names(service)
    session.state = online
    session.link_changed.emit()
    session.link_changed.emit()
    qtbot.waitUntil(lambda: "import" in names(service))
    assert names(service).count("import") == 1


def test_an_address_only_fills_the_search_field(
    qtbot: QtBot, opener: Opener, window: MainWindow, service: DiscoverService
) -> None:
    opener.open(["liangli://model?ms=Qwen/Qwen3-8B-GGUF&file=a.gguf"])
    page = window.side_pages.made("discover")
    assert isinstance(page, DiscoverPage)
    assert window.side_pages.open_page == "discover"
    assert page.field.text() == "modelscope.cn/models/Qwen/Qwen3-8B-GGUF/a.gguf"
    assert page.pasted.isVisible()
    qtbot.waitUntil(lambda: bool(page.finding.models))
    assert not {"plans", "add_download", "import"} & set(names(service))


def test_what_is_refused_is_said(opener: Opener, window: MainWindow, service: DiscoverService) -> None:
    opener.open(["liangli://run?command=x", "notes.txt"])
    assert [dialog.isVisible() for dialog in window.findChildren(Told)] == [True]
    assert window.side_pages.open_page == ""


def test_the_event_of_macos(qtbot: QtBot, opener: Opener, window: MainWindow, qapp: QApplication) -> None:
    qapp.sendEvent(qapp, QFileOpenEvent(QUrl("liangli://model?hf=a/b")))
    page = window.side_pages.made("discover")
    assert isinstance(page, DiscoverPage)
    assert page.field.text() == "hf.co/a/b"
