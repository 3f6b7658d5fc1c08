"""Opens in the window what the desktop, another start or the command line asks for."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from app import words
from app.errors import OpeningRefused
from app.gui.session import Session
from app.gui.window import MainWindow
from app.opening import OpenFile, OpenModel, read_opening


class Opener(QObject):
    """Files are imported as the window's own command does it, once the service answers. Of addresses, which anybody may
    have written, only a repository's name is taken, into the search field: nothing is asked of any hub until the user
    presses something there.
    """

    def __init__(self, window: MainWindow, session: Session) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._waiting: list[OpenFile] = []
        session.link_changed.connect(self._import)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def open(self, texts: Sequence[str], token: str = "") -> None:
        """token: from the desktop, by which it lets the window come to the front."""
        if token:
            os.environ["XDG_ACTIVATION_TOKEN"] = token
        self._raise()
        refused: OpeningRefused | None = None
        for text in texts:
            try:
                opening = read_opening(text)
            except OpeningRefused as error:
                refused = refused or error
                continue
            match opening:
                case OpenFile():
                    self._waiting.append(opening)
                case OpenModel():
                    self._window.show_repository(opening.text)
        if refused is not None:
            self._window.tell(words.describe_error(refused, self._window.language))
        self._import()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """On macOS files and addresses come as events, also the first one."""
        if event.type() is QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent):
            self.open([event.file() or event.url().toString()])
            return True
        return super().eventFilter(watched, event)

    def _raise(self) -> None:
        window = self._window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    def _import(self) -> None:
        if not self._session.online:
            return
        files, self._waiting = self._waiting, []
        for file in files:
            self._window.import_file(str(file.path))
