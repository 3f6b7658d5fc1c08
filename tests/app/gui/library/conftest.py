"""The page of models in a window of its own."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.gui.library import template
from app.gui.library.page import LibraryPage
from app.gui.look import Look
from app.gui.session import Session
from tests.app.gui.library.shelf_service import ShelfService


@pytest.fixture
def service() -> ShelfService:
    return ShelfService()


@pytest.fixture
def page(qtbot: QtBot, look: Look, session: Session, monkeypatch: pytest.MonkeyPatch) -> LibraryPage:
    monkeypatch.setattr(template, "LOOKED_AT_MILLISECONDS", 0)
    page = LibraryPage(look, session)
    qtbot.addWidget(page)
    page.resize(1_000, 760)
    page.show()
    qtbot.waitUntil(lambda: len(page.list.rows) > 0 and page.watch.folder is not None)
    return page
