"""The page of downloads: the queue in its order, what is done, and the limits below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app import words
from app.download_values import DownloadStatus
from app.gui.dialogs import Question
from app.gui.downloads.foot import Foot
from app.gui.downloads.queue_view import QueueView
from app.gui.downloads.telling import shown_name
from app.gui.downloads.watch import STARTER, DownloadWatch
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.parts.holding import Message, heading
from app.gui.parts.service_state import ServiceState
from app.gui.session import Session
from app.gui.theme.tokens import TITLE
from resources.wording import text


class DownloadsPage(QWidget):
    """Follows session and service by itself. watch: shared with whoever else follows downloads.

    `chat_wanted` carries a model's id; `discover_wanted`: the user wants to find something to download.
    """

    discover_wanted = Signal()
    chat_wanted = Signal(str)

    def __init__(self, look: Look, session: Session, watch: DownloadWatch | None = None) -> None:
        super().__init__()
        self._look, self._session = look, session
        self.watch = watch or DownloadWatch(session)
        self._title = plain_label("", TITLE, 700)
        self._text = plain_label("", 14, shade=2, wrap=True)
        self.trouble = Message(look)
        self._active_title, self._ended_title = heading(), heading()
        self.queue = QueueView(look, session, self.watch)
        self.ended = QueueView(look, session, self.watch)
        self.clear = push_button("words", 500)
        self._nothing = plain_label("", 18, 600)
        self._nothing_text = plain_label("", 14, shade=2, wrap=True)
        self.discover = push_button("primary", 500)
        self._empty = self._arrange_empty()
        self.foot = Foot(look, session)
        self._arrange()
        self._connect()
        self._refresh()

    def _arrange_empty(self) -> QWidget:
        empty = QWidget()
        column = QVBoxLayout(empty)
        column.setContentsMargins(0, 60, 0, 0)
        column.setSpacing(10)
        for label in (self._nothing, self._nothing_text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        column.addSpacing(8)
        column.addWidget(self.discover, 0, Qt.AlignmentFlag.AlignHCenter)
        return empty

    def _arrange(self) -> None:
        inside = QWidget()
        inside.setObjectName("page")
        inside.setMinimumWidth(1)  # never wider than the page, whatever a model is called
        column = QVBoxLayout(inside)
        column.setContentsMargins(26, 20, 26, 26)
        column.setSpacing(12)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(ServiceState(self._look, self._session))
        column.addWidget(self.trouble)
        column.addWidget(self._empty)
        column.addWidget(self._active_title)
        column.addWidget(self.queue)
        ended = QHBoxLayout()
        ended.addWidget(self._ended_title)
        ended.addStretch(1)
        ended.addWidget(self.clear)
        column.addLayout(ended)
        column.addWidget(self.ended)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(self.foot)

    def _connect(self) -> None:
        self.discover.clicked.connect(self.discover_wanted)
        self.trouble.pressed.connect(self.watch.forget_trouble)
        self.clear.clicked.connect(self._clear)
        for view in (self.queue, self.ended):
            view.cancel_wanted.connect(self.cancel)
            view.folder_wanted.connect(self._open_folder)
            view.chat_wanted.connect(self.chat_wanted)
        self.queue.moved.connect(lambda one, before: self.watch.move(one, before or None))
        self.watch.changed.connect(self._show)
        self.watch.trouble_changed.connect(self._show_trouble)
        self._session.settings_changed.connect(self._show)
        self._session.models_changed.connect(self._show)
        self._look.changed.connect(self._refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def cancel(self, download_id: str) -> None:
        """Take a download out of the queue, after a question when that deletes what has arrived."""
        status = next((one for one in self.watch.downloads if one.id == download_id), None)
        if status is None:
            return
        keeps = status.state == "done" or download_id.startswith(STARTER)
        if keeps or not status.received_bytes or self._is_wanted_gone(status):
            self.watch.cancel(download_id)

    def _is_wanted_gone(self, status: DownloadStatus) -> bool:
        size = words.shown_bytes(status.received_bytes)
        explained = self._say("cancel.text", name=f"{shown_name(status)} {status.quantization}".strip()[:80], size=size)
        question = Question(self._look, self, self._say("cancel.title"), explained, self._say("cancel.yes"))
        question.no.setText(self._say("cancel.no"))
        return question.exec() == QDialog.DialogCode.Accepted

    def _clear(self) -> None:
        for one in self.watch.downloads:
            if one.state == "done" and not one.id.startswith(STARTER):
                self.watch.cancel(one.id)

    def _open_folder(self, download_id: str) -> None:
        card = self.ended.cards.get(download_id) or self.queue.cards.get(download_id)
        if card is not None and card.model is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(card.model.path).parent)))

    def _say(self, key: str, **fields: Any) -> str:
        return text(f"downloads.{key}", self._look.language, **fields)

    def _refresh(self) -> None:
        self._title.setText(self._say("page.title"))
        self.setAccessibleName(self._say("page.title"))
        self._nothing.setText(self._say("page.empty"))
        self._nothing_text.setText(self._say("page.empty_text"))
        self.discover.setText(self._say("page.discover"))
        self._active_title.setText(self._say("page.active"))
        self._ended_title.setText(self._say("page.ended"))
        self.clear.setText(self._say("page.clear"))
        self.clear.setToolTip(self._say("page.clear_tip"))
        self._show_trouble()
        self._show(even_if_hidden=True)

    def _show(self, *, even_if_hidden: bool = False) -> None:
        """Events come many times a second, and cost nothing while nobody looks."""
        if not even_if_hidden and not self.isVisible():
            return
        downloads = self.watch.downloads
        active = tuple(one for one in downloads if one.state != "done")
        ended = tuple(one for one in downloads if one.state == "done")
        self.queue.show_downloads(active)
        self.ended.show_downloads(ended)
        self._empty.setVisible(not downloads)
        self._active_title.setVisible(bool(active and ended))
        self._ended_title.setVisible(bool(ended))
        self.clear.setVisible(any(not one.id.startswith(STARTER) for one in ended))
        self._text.setText(self._summary(active) or self._say("page.text"))

    def _summary(self, active: tuple[DownloadStatus, ...]) -> str:
        moving = [one for one in active if one.state == "transferring" and one.bytes_per_second > 0]
        if not moving:
            return ""
        wanted = [one for one in active if one.state not in ("paused", "failed")]
        left = sum(max(0, one.total_bytes - one.received_bytes) for one in wanted)
        return self._say(
            "page.summary",
            count=len(wanted),
            speed=words.shown_bytes(sum(one.bytes_per_second for one in moving)),
            left=words.shown_bytes(left),
        )

    def _show_trouble(self) -> None:
        error = self.watch.trouble
        sentence = words.describe_error(error, self._look.language) if error is not None else ""
        self.trouble.show_text("bad", sentence, self._look.say("banner.close") if sentence else "")
