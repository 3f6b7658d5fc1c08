"""The page of downloads in a window of its own, with a queue that the test fills."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.gui.downloads.page import DownloadsPage
from app.gui.look import Look
from app.gui.session import Session
from tests.app.gui.downloads.queue_service import QueueService


@pytest.fixture
def service() -> QueueService:
    return QueueService()


@pytest.fixture
def page(qtbot: QtBot, look: Look, session: Session) -> DownloadsPage:
    page = DownloadsPage(look, session)
    qtbot.addWidget(page)
    page.resize(780, 700)
    page.show()
    qtbot.waitUntil(lambda: page.watch.known)
    return page
