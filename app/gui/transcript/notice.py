"""A sentence on a soft ground: what went wrong with an answer, and what can be done."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QToolButton, QWidget

from app.gui.look import Look
from app.gui.parts.basics import IconView, plain_label, set_property
from app.gui.theme.fonts import ui_font


class Notice(QFrame):
    """Icon, wrapped plain text, and perhaps one button; placed by hand like every piece of a message."""

    PAD = 12
    ICON = 16

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._look = look
        self._icon = IconView(self.ICON, self)
        self._label = plain_label("", 13, wrap=True, parent=self)
        self.button = QToolButton(self)
        self.button.setProperty("kind", "ghost")
        self.button.setFont(ui_font(13, 500))
        self.button.hide()

    def show_notice(self, tone: str, text: str, button: str = "") -> None:
        """tone: "plain", "warn" or "bad"."""
        theme = self._look.theme
        colour = {"warn": theme.warn, "bad": theme.bad}.get(tone, theme.text_second)
        self._icon.show_icon("circle-alert" if tone == "plain" else "triangle-alert", colour)
        self._label.setText(text)
        self.setAccessibleName(text)
        self.button.setText(button)
        self.button.setAccessibleName(button)
        self.button.setVisible(bool(button))
        set_property(self, "tone", tone)

    def fit(self, width: int) -> int:
        button_width = self.button.sizeHint().width() + 8 if self.button.text() else 0
        left = self.PAD + self.ICON + 8
        text_width = width - left - self.PAD - button_width
        text_height = max(self._label.heightForWidth(text_width), 20)
        height = text_height + 2 * 9
        self._label.setGeometry(left, 9, text_width, text_height)
        self._icon.move(self.PAD, 9 + (20 - self.ICON) // 2)
        hint = self.button.sizeHint()
        self.button.setGeometry(
            width - self.PAD - hint.width() + 4, (height - hint.height()) // 2, hint.width(), hint.height()
        )
        self.resize(width, height)
        return height
