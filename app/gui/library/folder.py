"""The models folder: where it is, what it holds, what is free; and which other programs' models are listed."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QVBoxLayout

from app.gui import icons
from app.gui.library.watch import LibraryWatch
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, IconView, menu_under, push_button
from app.gui.parts.holding import Message
from app.gui.parts.icon_button import IconButton
from app.gui.session import Session
from app.gui.theme.fonts import ui_font
from app.words import shown_bytes
from resources.wording import text

PROGRAMS = ("ollama", "lm_studio", "jan", "huggingface", "modelscope")


class FolderCard(QFrame):
    """Follows session and watch by itself; the signals are the page's to do."""

    open_wanted = Signal()
    move_wanted = Signal()

    def __init__(self, look: Look, session: Session, watch: LibraryWatch) -> None:
        super().__init__()
        self.setObjectName("card")
        self._look, self._session, self._watch = look, session, watch
        self._icon = IconView(18)
        self._path = ElidedLabel("", 13, 500)
        self._numbers = ElidedLabel("", 12, shade=2)
        self.open, self.move_button = IconButton(look), push_button("", 500)
        self.gone = Message(look)
        naming = QVBoxLayout()
        naming.setSpacing(1)
        naming.addWidget(self._path)
        naming.addWidget(self._numbers)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addLayout(naming, 1)
        row.addWidget(self.open)
        row.addWidget(self.move_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 9, 10, 9)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.gone)
        self.open.clicked.connect(self.open_wanted)
        self.move_button.clicked.connect(self.move_wanted)
        watch.folder_changed.connect(self._show)
        watch.works_changed.connect(self._show)
        session.models_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        language, state = self._look.language, self._watch.folder

        def say(key: str, **fields: Any) -> str:
            return text(f"shelf.folder.{key}", language, **fields)

        self._icon.show_icon("hard-drive", self._look.theme.text_second)
        self.move_button.setText(say("move"))
        self._path.show_text(str(state.path) if state else say("title"))
        used = shown_bytes(library_bytes(self._session))
        if state is not None and state.free_bytes is not None:
            self._numbers.show_text(say("used", used=used, free=shown_bytes(state.free_bytes)))
        else:
            self._numbers.show_text(say("unknown_free", used=used) if state else "")
        there = state is not None and state.there
        self.open.setEnabled(there)
        self.open.dress("folder", say("open"))
        busy = any(work.state == "running" for work in self._watch.works.values())
        self.move_button.setEnabled(there and not busy)
        self.gone.show_text("warn", say("gone") if state is not None and not there else "")


class ProgramsButton(QPushButton):
    """Which other programs' models are listed; clicked, it offers each of them."""

    def __init__(self, look: Look, session: Session, watch: LibraryWatch) -> None:
        super().__init__()
        self.setProperty("kind", "chip")
        self.setFont(ui_font(13))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._look, self._session, self._watch = look, session, watch
        self.clicked.connect(lambda: self.program_menu().popup(self.mapToGlobal(QPoint(0, self.height() + 4))))
        session.settings_changed.connect(self._show)
        session.link_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    def program_menu(self) -> QMenu:
        """Each program with a check mark if its models are listed."""
        menu = menu_under(self)
        for program in PROGRAMS:
            action = menu.addAction(text(f"shelf.find.{program}", self._look.language))
            found = self._is_found(program)
            if found:
                action.setIcon(icons.icon("check", self._look.theme.accent, 15))
            action.triggered.connect(
                lambda _=False, setting=f"find_{program}", wanted=not found: self._watch.search_in(setting, wanted)
            )
        return menu

    def _is_found(self, program: str) -> bool:
        return bool(self._session.settings.get(f"find_{program}", True))

    def _show(self) -> None:
        language = self._look.language
        self.setText(text("shelf.folder.find", language, count=sum(map(self._is_found, PROGRAMS))))
        self.setToolTip(text("shelf.folder.find_tip", language))
        self.setAccessibleName(self.text())
        self.setIcon(icons.icon("chevron-down", self._look.theme.text_third, 14))
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow stands behind the words
        self.setEnabled(self._session.online)


def library_bytes(session: Session) -> int:
    """What the models in the models folder take."""
    return sum(model.size_bytes for model in session.models or () if model.place == "library" and not model.missing)
