"""Widgets that hold others: a button with a layout, a message, a section that opens, rows of text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import icons
from app.gui.look import Look
from app.gui.parts.basics import IconView, plain_label, set_property
from app.gui.theme.fonts import ui_font

# A path or an address longer than this is broken where it can be; else it would widen everything around it.
LONGEST_RUN_CHARACTERS = 20
_LONG_RUN = re.compile(rf"[!-~]{{{LONGEST_RUN_CHARACTERS},}}")
_PLACE_TO_BREAK = re.compile(rf"[/\\_\-.?&=]|[^/\\_\-.?&=]{{{LONGEST_RUN_CHARACTERS}}}")
_TONES = {"plain": "circle-alert", "warn": "triangle-alert", "bad": "circle-x", "good": "circle-check"}


def breakable(text: str) -> str:
    """The text with invisible places to break in its long runs without a space."""
    return _LONG_RUN.sub(lambda run: _PLACE_TO_BREAK.sub(lambda place: place[0] + "\u200b", run[0]), text)


class Tile(QPushButton):
    """A button whose face is a column of other widgets, which let every click through."""

    def __init__(self, kind: str, margins: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.setProperty("kind", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(*margins)
        self.column.setSpacing(5)

    def let_clicks_through(self) -> None:
        """To be called once when all widgets are in."""
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        return self.column.totalSizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.column.totalMinimumSize()


class Message(QFrame):
    """Icon, wrapped plain text and perhaps a button, on a soft ground."""

    pressed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._look = look
        self._icon = IconView(16)
        self._label = plain_label("", 13, wrap=True)
        self.button = QPushButton()
        self.button.setProperty("kind", "words")
        self.button.setFont(ui_font(13, 500))
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.hide()
        self.button.clicked.connect(self.pressed)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 9, 12, 9)
        row.setSpacing(9)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._label, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def show_text(self, tone: str, text: str, button: str = "") -> None:
        """tone: "plain", "warn", "bad" or "good"; an empty text hides the message."""
        theme = self._look.theme
        colour = {"warn": theme.warn, "bad": theme.bad, "good": theme.good}.get(tone, theme.text_second)
        self._icon.show_icon(_TONES[tone], colour)
        self._label.setText(breakable(text))
        self.setAccessibleName(text)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        set_property(self, "tone", tone)
        self.setVisible(bool(text))


class Section(QWidget):
    """A heading that opens and closes what is under it. `opened` is emitted before the inside is shown."""

    opened = Signal()

    def __init__(self, look: Look, inside: QWidget) -> None:
        super().__init__()
        self._look, self._inside = look, inside
        self.button = QToolButton()
        self.button.setProperty("kind", "ghost")
        self.button.setCheckable(True)
        self.button.setFont(ui_font(13, 500))
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setIconSize(QSize(15, 15))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(inside)
        inside.hide()
        self.button.toggled.connect(self._show)

    @property
    def is_open(self) -> bool:
        return self.button.isChecked()

    def name(self, text: str) -> None:
        """The heading, in the present language and theme."""
        self.button.setText(" " + text)
        self.button.setAccessibleName(text)
        self._point()

    def _show(self, is_open: bool) -> None:
        if is_open:
            self.opened.emit()
        self._inside.setVisible(is_open)
        self._point()

    def _point(self) -> None:
        name = "chevron-down" if self.is_open else "chevron-right"
        self.button.setIcon(icons.icon(name, self._look.theme.text_second, 15))


class TextRow(QWidget):
    """A name, a value at the right, and below them a smaller note."""

    def __init__(self) -> None:
        super().__init__()
        self._name = plain_label("", 13, shade=2)
        self._value = plain_label("", 13)
        self._note = plain_label("", 12, shade=3, wrap=True)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._name)
        top.addStretch(1)
        top.addWidget(self._value)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(top)
        column.addWidget(self._note)

    def show_texts(self, name: str, value: str, note: str) -> None:
        for label, text in ((self._name, name), (self._value, value), (self._note, note)):
            if label.text() != text:
                label.setText(text)
        self._note.setVisible(bool(note))

    def texts(self) -> tuple[str, str, str]:
        return self._name.text(), self._value.text(), self._note.text()


class TextRows(QWidget):
    """Rows of name, value and note. The rows are kept and filled anew, so that they may change many times a second."""

    def __init__(self, spacing: int = 5) -> None:
        super().__init__()
        self._rows: list[TextRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(spacing)

    def show_rows(self, rows: Sequence[tuple[str, str, str]]) -> None:
        while len(self._rows) < len(rows):
            self._rows.append(TextRow())
            self._column.addWidget(self._rows[-1])
        for place, row in enumerate(self._rows):
            if place < len(rows):
                row.show_texts(*rows[place])
            row.setVisible(place < len(rows))


def heading(pixels: int = 15) -> QLabel:
    """A label over a group of widgets."""
    return plain_label("", pixels, 600)


def clear_layout(layout: QLayout) -> None:
    """Take all widgets out of a layout, for good."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
