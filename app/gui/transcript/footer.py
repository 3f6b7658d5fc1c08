"""The row under a message: what can be done with it, which version it is, what it cost."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.gui import icons
from app.gui.conversation import CONTINUABLE
from app.gui.look import Look
from app.gui.parts.basics import ghost_button, menu_under, plain_label
from app.values import ChatMessage, MessageStats

ICON_PIXELS = 15


class Footer(QWidget):
    """`wanted` carries "copy", "edit", "regenerate", "continue", "previous", "next" or "prompt"."""

    wanted = Signal(str)
    HEIGHT = 30

    def __init__(self, look: Look, role: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        if role == "user":
            self._row.addStretch(1)
        self._previous = self._button("chevron-left", "previous")
        self._version = plain_label("", 12, shade=3)
        self._row.addWidget(self._version)
        self._next = self._button("chevron-right", "next")
        self._button("copy", "copy")
        self._edit = self._button("pencil", "edit")
        self._regenerate = self._button("refresh-cw", "regenerate")
        self._continue = self._button("play", "continue", words="answer.continue_words")
        self._more = ghost_button(look, "ellipsis", "answer.more", pixels=ICON_PIXELS)
        self._more.clicked.connect(self._show_menu)
        self._row.addWidget(self._more)
        self._cost = plain_label("", 12, shade=3)
        self._row.addSpacing(6)
        self._row.addWidget(self._cost)
        if role != "user":
            self._row.addStretch(1)
        self._edit.setVisible(role == "user")
        self._regenerate.setVisible(role != "user")

    def show_message(self, message: ChatMessage, *, is_last: bool) -> None:
        versions = message.sibling_ids
        several = len(versions) > 1 and message.id in versions
        for widget in (self._previous, self._version, self._next):
            widget.setVisible(several)
        if several:
            place = versions.index(message.id)
            self._version.setText(f"{place + 1}/{len(versions)}")
            self._version.setAccessibleName(self._look.say("answer.version", number=place + 1, count=len(versions)))
            self._previous.setEnabled(place > 0)
            self._next.setEnabled(place < len(versions) - 1)
        goes_on = message.role == "assistant" and is_last and message.state in CONTINUABLE
        self._continue.setVisible(goes_on)
        self._cost.setText(cost_words(self._look, message.stats) if message.stats else "")
        self._cost.setVisible(message.stats is not None)

    def _show_menu(self) -> None:
        menu = menu_under(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = icons.icon("file-text", self._look.theme.text_second, ICON_PIXELS)
        menu.addAction(icon, self._look.say("answer.prompt")).triggered.connect(lambda: self.wanted.emit("prompt"))
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    def _button(self, icon_name: str, action: str, words: str = "") -> QToolButton:
        button = ghost_button(self._look, icon_name, f"answer.{action}", pixels=ICON_PIXELS, words=words)
        button.clicked.connect(lambda: self.wanted.emit(action))
        self._row.addWidget(button)
        return button


def cost_words(look: Look, stats: MessageStats) -> str:
    """ "412 词元 · 41.8 词元/秒 · 首字 0.34 秒" """
    return look.say(
        "answer.cost",
        tokens=f"{stats.completion_tokens:,}",
        speed=f"{stats.tokens_per_second:.1f}",
        first=f"{stats.first_token_seconds:.2f}",
    )
