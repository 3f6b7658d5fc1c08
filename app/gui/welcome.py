"""What an empty chat shows: that the service is starting, or a greeting and things to begin with."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.gui.link import Lost, Starting
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.parts.drawn import Logo
from app.gui.session import Session

SUGGESTIONS = ("explain", "code", "translate")


class Welcome(QWidget):
    """`suggested` carries the beginning of a question."""

    suggested = Signal(str)

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self.setObjectName("page")
        self._look, self._session = look, session
        self._title = plain_label("", 24, 600)
        self._text = plain_label("", 14, shade=2)
        self._chips: list[QPushButton] = []
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(Logo(look, 56), 0, centre)
        column.addSpacing(4)
        column.addWidget(self._title, 0, centre)
        column.addWidget(self._text, 0, centre)
        column.addSpacing(10)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch(1)
        for key in SUGGESTIONS:
            chip = push_button("chip")
            chip.clicked.connect(lambda _=False, key=key: self.suggested.emit(look.say(f"welcome.{key}_text")))
            self._chips.append(chip)
            row.addWidget(chip)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(3)
        for signal in (session.link_changed, session.models_changed, look.changed):
            signal.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        say, session = self._look.say, self._session
        ready = session.online and bool(session.usable_models)
        waiting = isinstance(session.state, Starting | Lost) or (session.online and session.models is None)
        self._title.setText(say("welcome.title" if ready else "welcome.starting" if waiting else "welcome.away"))
        self._text.setText(say("welcome.text") if ready else say("welcome.starting_text") if waiting else "")
        for key, chip in zip(SUGGESTIONS, self._chips, strict=True):
            chip.setText(say(f"welcome.{key}"))
            chip.setAccessibleName(chip.text())
            chip.setVisible(ready)
