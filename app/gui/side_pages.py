"""The pages beside the chats. Each is made when it is first asked for: a window that only chats is lighter without."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.gui.downloads.watch import DownloadWatch
from app.gui.look import Look
from app.gui.session import Session


class SidePages(QObject):
    """Puts them into the window's stack and passes on what they want of the window.

    chat_wanted: a model, and the PlanWish to load it with or None where the planner is to choose.
    """

    chat_wanted = Signal(str, object)
    starter_wanted = Signal()
    import_wanted = Signal()

    def __init__(self, look: Look, session: Session, stack: QStackedWidget, downloads: DownloadWatch) -> None:
        super().__init__(stack)
        self._look, self._session, self._stack, self._watch = look, session, stack, downloads
        self._made: dict[str, QWidget] = {}

    @property
    def open_page(self) -> str:
        """The name of the one on the screen, "" if it is none of these."""
        shown = self._stack.currentWidget()
        return next((name for name, page in self._made.items() if page is shown), "")

    def made(self, name: str) -> QWidget | None:
        """The page, if it was ever asked for."""
        return self._made.get(name)

    def open(self, name: str) -> QWidget:
        """Show a page."""
        page = self._made.get(name)
        if page is None:
            page = self._made[name] = self._make(name)
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        return page

    def open_plan(self, target: str) -> None:
        """Show the plan of a model, by whatever name."""
        from app.gui.plans.page import PlansPage

        page = self.open("plans")
        assert isinstance(page, PlansPage)
        page.planning.look_at(target)

    def _make(self, name: str) -> QWidget:
        if name == "discover":
            return self._discover()
        if name == "library":
            return self._library()
        return self._downloads() if name == "downloads" else self._plans()

    def _discover(self) -> QWidget:
        from app.gui.discover.page import DiscoverPage

        page = DiscoverPage(self._look, self._session)
        page.chat_wanted.connect(self._chat)
        page.plan_wanted.connect(self.open_plan)
        page.downloads_wanted.connect(lambda: self.open("downloads"))
        page.import_wanted.connect(self.import_wanted)
        return page

    def _library(self) -> QWidget:
        from app.gui.library.page import LibraryPage

        page = LibraryPage(self._look, self._session)
        page.chat_wanted.connect(self._chat)
        page.plan_wanted.connect(self.open_plan)
        page.discover_wanted.connect(lambda: self.open("discover"))
        page.import_wanted.connect(self.import_wanted)
        return page

    def _downloads(self) -> QWidget:
        from app.gui.downloads.page import DownloadsPage

        page = DownloadsPage(self._look, self._session, self._watch)
        page.chat_wanted.connect(self._chat)
        page.discover_wanted.connect(lambda: self.open("discover"))
        return page

    def _plans(self) -> QWidget:
        from app.gui.plans.page import PlansPage

        page = PlansPage(self._look, self._session)
        page.chat_wanted.connect(self.chat_wanted)
        page.starter_wanted.connect(self.starter_wanted)
        return page

    def _chat(self, model_id: str) -> None:
        self.chat_wanted.emit(model_id, None)
