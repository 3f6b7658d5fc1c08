"""The left side: logo, new chat, search, the list of chats, and what the models take of this computer's memory."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from app.gui import icons
from app.gui.conversation_list import ConversationList
from app.gui.look import Look
from app.gui.navigation import Navigation
from app.gui.parts.basics import dress_button, ghost_button, plain_label
from app.gui.parts.drawn import Logo, MemoryBar
from app.gui.session import Session
from app.gui.theme.fonts import ui_font

WIDTH = 240


class Sidebar(QFrame):
    """Follows the session by itself; the signals are the window's to do, `delete_wanted` after a question."""

    delete_wanted = Signal(str, str)
    hide_wanted = Signal()

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setFixedWidth(WIDTH)
        self._look, self._session = look, session
        self._name = plain_label("", 18, 700)
        self._latin = plain_label("", 12, shade=3)
        self._hide = ghost_button(look, "panel-left", "side.hide")
        self.new_button = QPushButton()
        self.new_button.setProperty("kind", "row")
        self.new_button.setFont(ui_font(14, 500))
        self.new_button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.navigation = Navigation(look)
        self.search = QLineEdit()
        self.search.setFont(ui_font(13))
        self.search.setClearButtonEnabled(True)
        self._glass = QAction(self)
        self.search.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._heading = plain_label("", 12, 500, shade=3)
        self.list = ConversationList(look)
        self._nothing = plain_label("", 13, shade=3, wrap=True)
        self._memory = MemoryCard(look, session)
        self._arrange()
        self._hide.clicked.connect(self.hide_wanted)
        self.new_button.clicked.connect(session.new_chat)
        self.search.textChanged.connect(self._show_chats)
        self.list.opened.connect(session.open_chat)
        self.list.renamed.connect(session.rename_chat)
        self.list.delete_wanted.connect(self.delete_wanted)
        session.models_changed.connect(lambda: self.new_button.setEnabled(bool(session.usable_models)))
        session.chats_changed.connect(self._show_chats)
        session.chat_replaced.connect(self._show_chats)
        look.changed.connect(self._refresh)
        self._refresh()

    def _arrange(self) -> None:
        title = QHBoxLayout()
        title.setSpacing(8)
        title.addWidget(Logo(self._look, 30))
        title.addWidget(self._name)
        title.addWidget(self._latin)
        title.addStretch(1)
        title.addWidget(self._hide)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 14, 14, 14)
        column.setSpacing(8)
        column.addLayout(title)
        column.addSpacing(6)
        column.addWidget(self.new_button)
        column.addWidget(self.navigation)
        column.addWidget(self.search)
        column.addSpacing(6)
        self._heading.setContentsMargins(10, 0, 0, 0)
        self._nothing.setContentsMargins(10, 0, 0, 0)
        column.addWidget(self._heading)
        column.addWidget(self._nothing)
        column.addWidget(self.list, 1)
        column.addWidget(self._memory)

    def _refresh(self) -> None:
        say, theme = self._look.say, self._look.theme
        self._name.setText(say("app.name"))
        self._latin.setText(say("app.second_name"))
        self.new_button.setText("  " + say("side.new"))
        self.new_button.setIcon(icons.icon("plus", theme.accent, 17))
        self.new_button.setAccessibleName(say("side.new"))
        self.new_button.setToolTip(f"{say('side.new')} (Ctrl+N)")
        self.search.setPlaceholderText(say("side.search"))
        self.search.setAccessibleName(say("side.search"))
        self.search.setToolTip(f"{say('side.search')} (Ctrl+K)")
        self._glass.setIcon(icons.icon("search", theme.text_third, 15))
        self._heading.setText(say("side.recent"))
        self.list.setAccessibleName(say("side.recent"))
        dress_button(self._look, self._hide, "panel-left", "side.hide")
        self._show_chats()

    def _show_chats(self) -> None:
        chats = self._session.chats
        self.list.show_chats(chats, self.search.text(), self._session.chat.id if self._session.chat else "")
        if self._session.chat is None:
            self.list.clearSelection()
        found = self.list.model().rowCount() > 0
        self._nothing.setText(self._look.say("side.not_found" if chats else "side.no_chats"))
        self._nothing.setVisible(not found and self._session.online)


class MemoryCard(QFrame):
    """Live numbers of this computer's memory."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self.setObjectName("card")
        self._look, self._session = look, session
        self._title = plain_label("", 12, 500, shade=2)
        self._numbers = plain_label("", 12, shade=2)
        self._bar = MemoryBar(look)
        self._models = plain_label("", 12, shade=3)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 11)
        column.setSpacing(7)
        row = QHBoxLayout()
        row.addWidget(self._title)
        row.addStretch(1)
        row.addWidget(self._numbers)
        column.addLayout(row)
        column.addWidget(self._bar)
        column.addWidget(self._models)
        session.status_changed.connect(self._show)
        session.link_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        status = self._session.status
        self.setVisible(status is not None and self._session.online)
        if status is None or status.total_memory_bytes <= 0:
            return
        total = status.total_memory_bytes
        used = total - status.available_memory_bytes
        models = sum(engine.memory_bytes for engine in status.engines)
        say = self._look.say
        self._title.setText(say("memory.title"))
        self._numbers.setText(f"{used / 1e9:.1f} / {total / 1e9:.1f} GB")
        self._models.setText(say("memory.models", size=f"{models / 1e9:.1f}"))
        self._bar.show_parts(min(models, used) / total, max(0, used - models) / total)
        self.setAccessibleName(f"{self._title.text()} {self._numbers.text()} {self._models.text()}")
