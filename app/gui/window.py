"""The main window: sidebar, header and the page that is shown; what needs a dialog is asked here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app import words
from app.gui import dialogs
from app.gui.chat_page import ChatPage
from app.gui.downloads.watch import DownloadWatch
from app.gui.first_run import FirstRunPage
from app.gui.header import Header
from app.gui.link import Online
from app.gui.look import Look
from app.gui.parts.drawn import window_icon
from app.gui.session import Session
from app.gui.side_pages import SidePages
from app.gui.sidebar import Sidebar
from app.plan_values import PlanWish
from app.values import Language

FIRST_SIZE = QSize(1180, 800)
LEAST_SIZE = QSize(720, 520)


class MainWindow(QMainWindow):
    """Painted before the service answers. `on_closed` is called once, when the user closes the window."""

    def __init__(self, look: Look, session: Session, on_closed: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._look, self._session, self._on_closed = look, session, on_closed
        self.sidebar = Sidebar(look, session)
        self.header = Header(look, session)
        self.chat_page = ChatPage(look, session)
        self.first_run = FirstRunPage(look, session)
        self._had_models = False
        self._chat_id = ""
        self._seen_fetches: set[str] = set()
        self.downloads = DownloadWatch(session)
        self.pages = QStackedWidget()
        self.side_pages = SidePages(look, session, self.pages, self.downloads)
        self.pages.addWidget(self.chat_page)
        self.pages.addWidget(self.first_run)
        self._arrange()
        self._connect()
        self._add_shortcuts()
        self._refresh()
        self.chat_page.composer.field.setFocus()

    def _arrange(self) -> None:
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.header)
        right.addWidget(self.pages, 1)
        whole = QHBoxLayout()
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.sidebar)
        whole.addLayout(right, 1)
        centre = QWidget()
        centre.setObjectName("page")
        centre.setLayout(whole)
        self.setCentralWidget(centre)
        self.setWindowIcon(window_icon())
        self.setMinimumSize(LEAST_SIZE)
        self.resize(FIRST_SIZE)

    def _connect(self) -> None:
        self.sidebar.hide_wanted.connect(lambda: self._show_side(False))
        self.sidebar.delete_wanted.connect(self._delete_chat)
        self.sidebar.navigation.wanted.connect(self.side_pages.open)
        self.sidebar.new_button.clicked.connect(self._leave_side)
        self.sidebar.list.opened.connect(self._leave_side)
        self.pages.currentChanged.connect(lambda _: self.sidebar.navigation.show_open(self.side_pages.open_page))
        self.side_pages.chat_wanted.connect(self._chat_with)
        self.side_pages.starter_wanted.connect(self._show_first_run)
        self.side_pages.import_wanted.connect(self._import_model)
        self.header.show_side_wanted.connect(lambda: self._show_side(True))
        self.header.import_wanted.connect(self._import_model)
        self.header.starter_wanted.connect(self._show_first_run)
        self.header.api_wanted.connect(self._show_api)
        self.header.update_wanted.connect(self._look_for_updates)
        self.header.language_wanted.connect(self._speak)
        self.header.theme_wanted.connect(self._wear)
        self.first_run.import_wanted.connect(self._import_model)
        self.first_run.leave_wanted.connect(self._show_chat_page)
        self.chat_page.link_wanted.connect(lambda address: dialogs.ask_to_open(self._look, self, address))
        self._session.models_changed.connect(self._on_models)
        self._session.fetches_changed.connect(self._on_fetches)
        self._session.chat_replaced.connect(self._on_chat)
        self.downloads.changed.connect(self._show_downloads)
        self._look.changed.connect(self._refresh)

    def _add_shortcuts(self) -> None:
        for keys, action in (
            (QKeySequence.StandardKey.New, self._new_chat),
            (QKeySequence("Ctrl+K"), self._search),
            (QKeySequence("Ctrl+B"), lambda: self._show_side(not self.sidebar.isVisible())),
            (QKeySequence("Ctrl+Q"), self.close),
            (QKeySequence("Escape"), self._session.stop),
        ):
            QShortcut(keys, self).activated.connect(action)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._on_closed()

    def _new_chat(self) -> None:
        self._session.new_chat()
        self._leave_side()
        self.chat_page.composer.field.setFocus()

    def _search(self) -> None:
        self._show_side(True)
        self.sidebar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.sidebar.search.selectAll()

    def _show_side(self, shown: bool) -> None:
        self.sidebar.setVisible(shown)
        self.header.show_side.setVisible(not shown)

    def _on_models(self) -> None:
        """Without a model there is only one thing to do; with the first one the chat begins."""
        usable = bool(self._session.usable_models)
        if self.side_pages.open_page:
            pass  # they show the models by themselves
        elif not usable and self._session.models is not None:
            self._show_first_run()
        elif usable and not self._had_models:
            self._show_chat_page()
        self._had_models = usable

    def _on_fetches(self) -> None:
        """A starter model that was fetched from this page is used at once."""
        done = [fetch for fetch in self._session.fetches.values() if fetch.state == "done"]
        fresh = [fetch for fetch in done if fetch.key not in self._seen_fetches]
        self._seen_fetches.update(fetch.key for fetch in done)
        if fresh and self.pages.currentWidget() is self.first_run:
            self._show_chat_page()

    def _on_chat(self) -> None:
        """Another chat is shown; the same one anew, after a gap, takes nobody away from another page."""
        before, self._chat_id = self._chat_id, self._session.chat.id if self._session.chat else ""
        if self._session.usable_models and not (self.side_pages.open_page and self._chat_id == before):
            self.pages.setCurrentWidget(self.chat_page)

    def _leave_side(self) -> None:
        if self.side_pages.open_page:
            self.pages.setCurrentWidget(self.chat_page if self._session.usable_models else self.first_run)

    def _chat_with(self, model_id: str, wish: PlanWish | None) -> None:
        """Load a model, with the numbers of its plan if there are some, and go where it can be talked to."""
        self._session.choose_model(model_id, wish)
        self._show_chat_page()

    def _show_first_run(self) -> None:
        self.pages.setCurrentWidget(self.first_run)
        self.first_run.setFocus()

    def _show_chat_page(self) -> None:
        self.pages.setCurrentWidget(self.chat_page)
        self.chat_page.composer.field.setFocus()

    def _delete_chat(self, chat_id: str, title: str) -> None:
        if dialogs.ask_to_delete(self._look, self, title):
            self._session.delete_chat(chat_id)

    def _import_model(self) -> None:
        path = dialogs.choose_gguf(self._look, self)
        if path:
            self._session.import_model(path)

    def import_file(self, path: str) -> None:
        """Add a model file that was opened with the program, and use it."""
        self._session.import_model(path, lambda error: self.tell(words.describe_error(error, self._look.language)))

    def show_repository(self, text: str) -> None:
        """Where models are found, with this in the search field; the user presses the rest."""
        from app.gui.discover.page import DiscoverPage

        page = self.side_pages.open("discover")
        assert isinstance(page, DiscoverPage)
        page.fill_in(text)

    def tell(self, sentence: str) -> None:
        """Something that belongs to no page."""
        dialogs.Told(self._look, self, sentence).show()

    @property
    def language(self) -> Language:
        """What the window speaks now."""
        return self._look.language

    def _show_api(self) -> None:
        state = self._session.state
        if isinstance(state, Online):
            dialogs.ApiInfo(self._look, self, state.base_url, state.token).show()

    def _look_for_updates(self) -> None:
        from app.gui.updates.dialog import UpdateDialog  # seldom wanted

        dialog = UpdateDialog(self._look, self)
        dialog.open()
        dialog.ask()

    def _speak(self, language: str) -> None:
        self._look.speak("zh" if language == "zh" else "en")
        self._session.change_settings(language=self._look.language)

    def _wear(self, theme: str) -> None:
        self._look.wear("dark" if theme == "dark" else "light" if theme == "light" else "system")
        self._session.change_settings(theme=self._look.theme_choice)

    def _show_downloads(self) -> None:
        count = self.downloads.running
        told = self._look.say("side.downloads_running", count=count) if count else ""
        self.sidebar.navigation.buttons["downloads"].show_badge(str(count or ""), told)

    def _refresh(self) -> None:
        self._show_downloads()
        self.setWindowTitle(self._look.say("app.name"))
