"""The few questions and windows beside the main one."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.theme.fonts import mono_font, ui_font
from app.gui.transcript.tame import tamed_plain
from app.values import MessagePrompt

LINK_SCHEMES = ("http", "https", "mailto")


class Question(QDialog):
    """A title, an explanation in plain text, an optional framed text, and two buttons."""

    def __init__(self, look: Look, parent: QWidget, title: str, text: str, yes: str, framed: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(460)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        column.addWidget(plain_label(title, 16, 600, wrap=True))
        column.addWidget(plain_label(text, 14, shade=2, wrap=True))
        if framed:
            box = QPlainTextEdit(tamed_plain(framed))
            box.setObjectName("framed")
            box.setReadOnly(True)
            box.setFont(mono_font())
            box.setFixedHeight(84)
            box.setAccessibleName(text)
            column.addWidget(box)
        self.no = push_button()
        self.no.setText(look.say("dialog.cancel"))
        self.yes = push_button("primary", 500)
        self.yes.setText(yes)
        self.no.clicked.connect(self.reject)
        self.yes.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch(1)
        row.addWidget(self.no)
        row.addWidget(self.yes)
        column.addSpacing(6)
        column.addLayout(row)
        self.no.setFocus()


def ask_to_open(look: Look, parent: QWidget, address: str) -> None:
    """Show the whole address of a link and open it in the browser if the user wants that. Other schemes do nothing."""
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    if not url.isValid() or url.scheme().lower() not in LINK_SCHEMES:
        return
    shown = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
    question = Question(
        look, parent, look.say("dialog.link_title"), look.say("dialog.link_text"), look.say("dialog.link_yes"), shown
    )
    if question.exec() == QDialog.DialogCode.Accepted:
        QDesktopServices.openUrl(url)


def ask_to_delete(look: Look, parent: QWidget, title: str) -> bool:
    """Whether the chat of this title shall be deleted."""
    text = look.say("dialog.delete_text", title=title[:80])
    question = Question(look, parent, look.say("dialog.delete_title"), text, look.say("dialog.delete_yes"))
    return question.exec() == QDialog.DialogCode.Accepted


def choose_gguf(look: Look, parent: QWidget) -> str:
    """The path of a model file that the user chose, "" if none."""
    path, _ = QFileDialog.getOpenFileName(parent, look.say("header.import"), "", "GGUF (*.gguf)")
    return path


class Told(QDialog):
    """One sentence and a button that closes it."""

    def __init__(self, look: Look, parent: QWidget, sentence: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(look.say("app.name"))
        self.setMinimumWidth(420)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        label = plain_label(sentence, 14, wrap=True)
        close = push_button("primary", 500)
        close.setText(look.say("banner.close"))
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(18)
        column.addWidget(label)
        column.addLayout(row)


class WholeText(QDialog):
    """All of a very long message, as plain text."""

    def __init__(self, look: Look, parent: QWidget, text: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(look.say("dialog.whole_title", count=f"{len(text):,}"))
        self.resize(820, 640)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box = QPlainTextEdit(tamed_plain(text))
        box.setObjectName("framed")
        box.setReadOnly(True)
        box.setFont(ui_font(14))
        box.setAccessibleName(self.windowTitle())
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(box)


class ExactPrompt(QDialog):
    """What a model reads before it writes a message: its whole prompt, to be copied."""

    def __init__(self, look: Look, parent: QWidget, prompt: MessagePrompt) -> None:
        super().__init__(parent)
        self.setWindowTitle(look.say("dialog.prompt_title"))
        self.resize(820, 640)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        key = "dialog.prompt_own" if prompt.chat_profile is None else "dialog.prompt_profile"
        told = look.say(key, model=prompt.model, count=f"{prompt.prompt_tokens:,}", profile=prompt.chat_profile or "")
        box = QPlainTextEdit(tamed_plain(prompt.text))
        box.setObjectName("framed")
        box.setReadOnly(True)
        box.setFont(mono_font())
        box.setAccessibleName(self.windowTitle())
        copy = push_button()
        copy.setText(look.say("answer.copy"))

        def put() -> None:
            QGuiApplication.clipboard().setText(prompt.text)
            copy.setText(look.say("dialog.copied"))

        copy.clicked.connect(put)
        row = QHBoxLayout()
        row.addWidget(plain_label(told, 13, shade=2, wrap=True), 1)
        row.addWidget(copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(row)
        column.addWidget(box)


class ApiInfo(QDialog):
    """How other programs on this computer reach the models: address and token, to be copied."""

    def __init__(self, look: Look, parent: QWidget, base_url: str, token: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(look.say("header.api"))
        self.setMinimumWidth(560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._look = look
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 22)
        column.setSpacing(12)
        column.addWidget(plain_label(look.say("header.api"), 16, 600))
        column.addWidget(plain_label(look.say("dialog.api_text"), 14, shade=2, wrap=True))
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(10)
        for row, (key, value) in enumerate((("dialog.api_address", f"{base_url}/v1"), ("dialog.api_token", token))):
            self._add_row(grid, row, look.say(key), value)
        column.addLayout(grid)
        column.addWidget(plain_label(look.say("dialog.api_warning"), 12, shade=3, wrap=True))

    def _add_row(self, grid: QGridLayout, row: int, name: str, value: str) -> None:
        field = QLineEdit(value)
        field.setReadOnly(True)
        field.setFont(mono_font())
        field.setCursorPosition(0)
        field.setAccessibleName(name)
        copy = push_button()
        copy.setText(self._look.say("answer.copy"))
        copy.setAccessibleName(f"{self._look.say('answer.copy')} {name}")

        def put() -> None:
            QGuiApplication.clipboard().setText(value)
            copy.setText(self._look.say("dialog.copied"))

        copy.clicked.connect(put)
        grid.addWidget(plain_label(name, 13, 500, shade=2), row, 0)
        grid.addWidget(field, row, 1)
        grid.addWidget(copy, row, 2)
