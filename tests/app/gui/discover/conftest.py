"""The page on its own, with a small catalogue."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.gui.discover.page import DiscoverPage
from app.gui.look import Look
from app.gui.session import Session
from tests.app.gui.discover.discover_service import DiscoverService


@pytest.fixture
def service() -> DiscoverService:
    return DiscoverService()


@pytest.fixture
def page(qtbot: QtBot, look: Look, session: Session) -> DiscoverPage:
    """On the screen, wide enough for both sides, with the fits of what is to be seen."""
    page = DiscoverPage(look, session)
    qtbot.addWidget(page)
    page.resize(1_020, 760)
    page.show()
    qtbot.waitUntil(lambda: bool(page.finding.models and page.finding.fits))
    return page
