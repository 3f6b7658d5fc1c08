"""The dialog of newer versions: opened by the user, it asks, shows what there is, and downloads when told to."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

import app
from app import words
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.theme.fonts import ui_font
from app.gui.transcript.tame import tamed_plain
from app.gui.updates.child import UpdateChild
from app.updates.installing import how_to_install
from app.updates.this_system import system
from app.updates.values import Failed, Fetched, Fetching, Found, Line
from app.words import shown_bytes
from resources.wording import text

_STEPS = 1000


class UpdateDialog(QDialog):
    """Opening it is the user's word that the network may be asked; closing it ends whatever is being done."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._look = look
        self.setWindowTitle(self._say("title"))
        self.setMinimumWidth(520)
        self._found: Found | None = None
        self._path: Path | None = None
        self.status = plain_label("", 15, 600, wrap=True)
        self.detail = plain_label("", 14, shade=2, wrap=True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notes = QPlainTextEdit()
        self.bar = QProgressBar()
        self.action = push_button("primary", 500)
        self.close_button = push_button()
        self._arrange()
        self.action.clicked.connect(self._act)
        self.close_button.clicked.connect(self.reject)
        self.child = UpdateChild(self)
        self.child.said.connect(self._hear)
        self.finished.connect(self.child.stop)

    def ask(self) -> None:
        """Look for a newer version."""
        self._found = None
        self._show("checking", text("update.window.own", self._look.language, version=app.VERSION))
        self.bar.setRange(0, 0)
        self.bar.show()
        self.child.start("check")

    def _arrange(self) -> None:
        self.notes.setObjectName("framed")
        self.notes.setReadOnly(True)
        self.notes.setFont(ui_font(14))
        self.notes.setAccessibleName(self._say("notes"))
        self.notes.setFixedHeight(150)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self._say("title"))
        self.close_button.setText(self._say("close"))
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        for widget in (self.status, self.detail, self.notes, self.bar):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(plain_label(self._say("promise"), 12, shade=3, wrap=True))
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.action)
        column.addLayout(row)

    def _hear(self, line: Line) -> None:
        match line:
            case Found():
                self._hear_found(line)
            case Fetching():
                self._hear_fetching(line)
            case Fetched():
                self._path = Path(line.path)
                language = self._look.language
                what_to_do = f"{how_to_install(line, language)}\n{text('update.install.keeps', language)}"
                self._show("downloaded", f"{line.path}\n\n{what_to_do}", "open_folder", version=line.version)
            case Failed():
                self._hear_failed(line)
            case _:
                assert_never(line)

    def _hear_found(self, found: Found) -> None:
        """Also the first line of a download, which looks once more."""
        if self._found is not None:
            return
        self._found = found
        language = self._look.language
        if not found.newer:
            self._show_text(text("update.check.current", language, version=found.version), "")
            return
        newer = text(
            "update.check.newer", language, version=found.version, date=found.date, own_version=found.own_version
        )
        file = found.file(found.best)
        detail = file.name if file else text("update.check.no_file", language, system=system())
        self._show_text(newer, detail)
        notes = found.notes_zh if language == "zh" else found.notes_en
        self.notes.setPlainText(tamed_plain(notes))
        self.notes.setVisible(bool(notes.strip()))
        if file is not None:
            self._offer(self._say("download", size=shown_bytes(file.size_bytes)))

    def _hear_fetching(self, done: Fetching) -> None:
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(int(_STEPS * done.received_bytes / max(1, done.total_bytes)))
        received, total = shown_bytes(done.received_bytes), shown_bytes(done.total_bytes)
        self.detail.setText(
            self._say("progress", received=received, total=total, speed=shown_bytes(done.bytes_per_second))
        )

    def _hear_failed(self, failed: Failed) -> None:
        language = self._look.language
        why = words.describe(failed.code, failed.fields, language) if failed.code else self._say("ended")
        self._show("failed" if self._found is None else "download_failed", why, "again")

    def _act(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))
        elif self._found is not None and self._found.best:
            self.bar.setRange(0, 0)
            self.bar.show()
            self.action.hide()
            self.close_button.setText(self._say("stop"))
            self.child.start("fetch", self._found.best)
        else:
            self.ask()

    def _show(self, key: str, detail: str, action: str = "", **fields: object) -> None:
        self._show_text(self._say(key, **fields), detail)
        if action:
            self._offer(self._say(action))

    def _show_text(self, status: str, detail: str) -> None:
        self.status.setText(status)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.bar.hide()
        self.notes.hide()
        self.action.hide()
        self.close_button.setText(self._say("close"))

    def _offer(self, action: str) -> None:
        self.action.setText(action)
        self.action.show()
        self.action.setFocus()

    def _say(self, key: str, **fields: object) -> str:
        return text(f"update.window.{key}", self._look.language, **fields)
