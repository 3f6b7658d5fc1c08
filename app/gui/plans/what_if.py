"""The fields for a computer that the user only thinks of."""

from __future__ import annotations

import re

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from app import words
from app.errors import RemoteError
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.parts.holding import Message
from app.gui.plans.planning import Planning
from app.gui.theme.fonts import ui_font

NO_CARD = frozenset({"none", "no", "无", "没有"})
# What a wrong card or memory size is refused with; the model's own troubles are the panel's to tell.
MACHINE_ERRORS = frozenset({"CardUnknown", "WishInvalid"})


def cards_of(text: str) -> tuple[str, ...]:
    """ "RTX 4090 + RTX 3060 12GB" → two cards; 无 or "none" → no card; nothing → what is here."""
    names = tuple(name.strip() for name in re.split(r"[+,，、;；]", text) if name.strip())
    return ("none",) if len(names) == 1 and names[0].casefold() in NO_CARD else names


def memory_of(text: str) -> str:
    """ "16", "16 GB", "16g" → "16G"; anything else is left for the service to refuse."""
    plain = "".join(text.split()).upper()
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:G|GB|GIB)?", plain)
    return f"{match[1]}G" if match else plain


class WhatIf(QFrame):
    """Card and memory of another computer; its message says what was not understood."""

    def __init__(self, look: Look, planning: Planning) -> None:
        super().__init__()
        self.setObjectName("card")
        self._look, self._planning = look, planning
        self._title = plain_label("", 14, 600, wrap=True)
        self._text = plain_label("", 13, shade=2, wrap=True)
        self.card, self.memory = QLineEdit(), QLineEdit()
        for field in (self.card, self.memory):
            field.setFont(ui_font(13))
            field.setMaxLength(200)
            field.returnPressed.connect(self._apply)
        self.button, self.back = push_button("", 500), push_button("words")
        self.message = Message(look)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.card, 3)
        row.addWidget(self.memory, 1)
        row.addWidget(self.button)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 13)
        column.setSpacing(7)
        column.addLayout(top)
        column.addWidget(self._text)
        column.addLayout(row)
        column.addWidget(self.message)
        self.button.clicked.connect(self._apply)
        self.back.clicked.connect(self.leave)
        planning.changed.connect(self._show)
        planning.previews_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    def leave(self) -> None:
        """Back to this computer."""
        self.card.clear()
        self.memory.clear()
        self._apply()

    def _apply(self) -> None:
        self._planning.imagine(cards_of(self.card.text()), memory_of(self.memory.text()))

    def _show(self) -> None:
        say = self._look.say
        self._title.setText(say("what_if.title"))
        self._text.setText(say("what_if.text"))
        for field, key in ((self.card, "card"), (self.memory, "memory")):
            field.setPlaceholderText(say(f"what_if.{key}_example"))
            field.setAccessibleName(say(f"what_if.{key}"))
            field.setToolTip(say(f"what_if.{key}"))
        self.button.setText(say("what_if.go"))
        self.back.setText(say("what_if.back"))
        self.back.setVisible(self._planning.hypothetical)
        error = machine_error(self._planning)
        self.message.show_text("bad", words.describe_error(error, self._look.language) if error else "")


def machine_error(planning: Planning) -> Exception | None:
    """What the service did not understand about the imagined computer."""
    answers = (planning.trouble, *planning.previews.values())
    return next((one for one in answers if isinstance(one, RemoteError) and one.code in MACHINE_ERRORS), None)
