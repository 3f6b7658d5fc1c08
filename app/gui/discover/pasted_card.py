"""The card for a repository or an address that was pasted into the search field."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from app.gui.discover import phrases
from app.gui.discover.pasted import Pasted
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, IconView, plain_label, push_button


class PastedCard(QFrame):
    """`wanted` carries the text. Hidden while nothing was pasted."""

    wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setProperty("chosen", "true")
        self._look = look
        self.pasted: Pasted | None = None
        self._icon = IconView(20)
        self._title = plain_label("", 15, 600)
        self._name = ElidedLabel("", 13, 500)
        self._text = plain_label("", 12, shade=2, wrap=True)
        self.button = push_button("primary", 500)
        words = QVBoxLayout()
        words.setSpacing(3)
        for label in (self._title, self._name, self._text):
            words.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(13)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.button.clicked.connect(self.ask)
        look.changed.connect(self._show)
        self.show_pasted(None)

    def show_pasted(self, pasted: Pasted | None) -> None:
        self.pasted = pasted
        self.setVisible(pasted is not None)
        self._show()

    def ask(self) -> None:
        """As if the button was pressed."""
        if self.pasted is not None:
            self.wanted.emit(self.pasted.text)

    def _show(self) -> None:
        if self.pasted is None:
            return
        language = self._look.language
        self._icon.show_icon("globe", self._look.theme.accent)
        self._title.setText(phrases.say(language, "pasted.file" if self.pasted.is_file else "pasted.title"))
        self._name.show_text(self.pasted.text)
        self._text.setText(phrases.say(language, "pasted.text"))
        self.button.setText(phrases.say(language, "pasted.go"))
        self.button.setAccessibleName(f"{self.button.text()} {self.pasted.text}")
