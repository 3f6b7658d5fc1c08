"""For `liangli bench`: the window says on standard output when it is painted, and when a chat is on the screen."""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QObject, QTimer

from app.gui.session import Session
from app.gui.window import MainWindow

# Holds the id of the chat that is to be shown; the window reports when it is set.
REPORT_VARIABLE = "LIANGLI_REPORT_WINDOW"


class WindowReport(QObject):
    """Writes the line "painted", opens the chat as soon as the service answers, and writes the line "chat"."""

    def __init__(self, window: MainWindow, session: Session, chat_id: str) -> None:
        super().__init__(window)
        self._window, self._session, self._chat_id = window, session, chat_id
        self._asked = False
        window.installEventFilter(self)
        session.link_changed.connect(self._open_chat)
        session.chat_replaced.connect(self._on_chat)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            # After this event the children are painted and all of it is flushed to the screen.
            QTimer.singleShot(0, lambda: _say("painted"))
        return super().eventFilter(watched, event)

    def _open_chat(self) -> None:
        if self._session.online and not self._asked:
            self._asked = True
            self._session.open_chat(self._chat_id)

    def _on_chat(self) -> None:
        if self._session.chat is not None and self._session.chat.id == self._chat_id:
            QTimer.singleShot(0, lambda: _say("chat"))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
