"""One download: what it is, what it does now, how far it is, and what can be done with it."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from app import words
from app.download_values import DownloadStatus
from app.gui.downloads.telling import TONES, fraction, progress_words, shown_name, source_words, state_words
from app.gui.downloads.watch import STARTER
from app.gui.look import Look
from app.gui.parts.basics import Badge, ElidedLabel, plain_label, push_button
from app.gui.parts.holding import breakable
from app.gui.parts.icon_button import IconButton
from app.gui.parts.monogram import Monogram
from app.values import LocalModel
from resources.wording import text

DRAG_FORMAT = "application/x-liangli-download"
_STEPS = 1_000


class DownloadCard(QFrame):
    """The signals carry the download's id; `chat_wanted` the id of the model it became."""

    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    cancel_wanted = Signal(str)
    up_wanted = Signal(str)
    down_wanted = Signal(str)
    folder_wanted = Signal(str)
    chat_wanted = Signal(str)

    def __init__(self, look: Look, status: DownloadStatus) -> None:
        super().__init__()
        self.setObjectName("card")
        self._look = look
        self.status = status
        self.model: LocalModel | None = None
        self._pressed_at: QPoint | None = None
        self._name = ElidedLabel("", 15, 600)
        self._quantization = plain_label("", 12, 500, shade=2)
        self._source = ElidedLabel("", 12, shade=3)
        self._badge = Badge()
        self._progress = ElidedLabel("", 12, shade=2)
        self._percent = plain_label("", 12, 500, shade=2)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, _STEPS)
        self._error = plain_label("", 13, wrap=True)
        self.toggle = IconButton(look)
        self.up, self.down, self.folder, self.cancel = (IconButton(look) for _ in range(4))
        self.chat = push_button("primary", 500)
        self._arrange()
        self.toggle.clicked.connect(self._on_toggle)
        for button, signal in (
            (self.up, self.up_wanted),
            (self.down, self.down_wanted),
            (self.folder, self.folder_wanted),
            (self.cancel, self.cancel_wanted),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(self.status.id))
        self.chat.clicked.connect(lambda: self.chat_wanted.emit(self.model.id if self.model else ""))

    def _arrange(self) -> None:
        naming = QVBoxLayout()
        naming.setSpacing(1)
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self._name)
        first.addWidget(self._quantization)
        first.addStretch(1)
        naming.addLayout(first)
        naming.addWidget(self._source)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(Monogram(self._look, self.status.name))
        top.addSpacing(8)
        top.addLayout(naming, 1)
        for button in (self.up, self.down, self.toggle, self.folder, self.cancel, self.chat):
            top.addWidget(button)
        bar = QHBoxLayout()
        bar.setSpacing(10)
        bar.addWidget(self._bar, 1)
        bar.addWidget(self._percent)
        low = QHBoxLayout()
        low.setSpacing(10)
        low.addWidget(self._badge)
        low.addWidget(self._progress, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 13, 12, 13)
        column.setSpacing(8)
        column.addLayout(top)
        column.addLayout(bar)
        column.addLayout(low)
        column.addWidget(self._error)

    def show_download(
        self,
        status: DownloadStatus,
        *,
        model: LocalModel | None,
        hours: str,
        since: datetime | None,
        first: bool,
        last: bool,
    ) -> None:
        """first, last: of those whose order can be changed. model: what a finished one became."""
        language = self._look.language
        self.status, self.model = status, model
        name = shown_name(status)
        self._name.show_text(name)
        self._quantization.setText(status.quantization)
        self._quantization.setVisible(bool(status.quantization))
        source = source_words(status, language)
        self._source.show_text(source or (status.files[0] if status.files else status.model))
        state = state_words(status, hours, since, language)
        self._badge.show_state(self._look, TONES[status.state], state)
        self._progress.show_text(progress_words(status, language))
        done = fraction(status)
        for widget in (self._bar, self._percent):
            widget.setVisible(done is not None)
        if done is not None:
            self._bar.setValue(round(done * _STEPS))
            self._percent.setText(f"{int(done * 100)}%")
        error = words.describe(status.error.code, status.error.fields, language) if status.error else ""
        self._error.setText(breakable(error))
        self._error.setVisible(bool(error))
        self._dress(first=first, last=last)
        self._bar.setAccessibleName(f"{name} {state}")
        self.setAccessibleName(
            " ".join(part for part in (name, status.quantization, state, self._progress.text(), error) if part)
        )

    def _dress(self, *, first: bool, last: bool) -> None:
        status, what = self.status, shown_name(self.status)
        starter, ended = status.id.startswith(STARTER), status.state == "done"

        def say(key: str) -> str:
            return text(f"downloads.row.{key}", self._look.language)

        stopped = status.state in ("paused", "failed")
        failed = status.state == "failed"
        self.toggle.dress(
            "refresh-cw" if failed else "play" if stopped else "pause",
            say("retry" if failed else "resume" if stopped else "pause"),
            what,
        )
        self.toggle.setVisible(not ended and (stopped or not starter))
        self.cancel.dress("x", say("forget" if ended else "cancel"), what)
        self.cancel.setVisible(not (starter and (ended or stopped)))
        self.up.setEnabled(not first)
        self.down.setEnabled(not last)
        self.up.dress("arrow-up", say("up"), what)
        self.down.dress("arrow-down", say("down"), what)
        movable = not ended and not starter and not (first and last)
        self.up.setVisible(movable)
        self.down.setVisible(movable)
        self.setToolTip(say("drag") if movable else "")
        self.folder.dress("folder", say("folder"), what)
        self.folder.setVisible(ended and self.model is not None)
        self.chat.setText(say("chat"))
        self.chat.setAccessibleName(f"{say('chat')} {what}")
        self.chat.setVisible(ended and self.model is not None and self.model.problem is None)

    def _on_toggle(self) -> None:
        stopped = self.status.state in ("paused", "failed")
        (self.resume_wanted if stopped else self.pause_wanted).emit(self.status.id)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.up.isVisible():
            self._pressed_at = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None
        super().mouseReleaseEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pressed_at = self._pressed_at
        if pressed_at is None:
            return
        if (event.position().toPoint() - pressed_at).manhattanLength() < QApplication.startDragDistance():
            return
        self._pressed_at = None
        carried = QMimeData()
        carried.setData(DRAG_FORMAT, self.status.id.encode())
        drag = QDrag(self)
        drag.setMimeData(carried)
        drag.setPixmap(self.grab())
        drag.setHotSpot(pressed_at)
        drag.exec(Qt.DropAction.MoveAction)
