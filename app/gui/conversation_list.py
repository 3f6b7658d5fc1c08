"""The list of chats in the sidebar: open, rename in place, delete, filtered by a search."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.gui import icons
from app.gui.look import Look
from app.gui.parts.basics import menu_under
from app.gui.theme.fonts import ui_font
from app.values import ChatSummary

ROW_HEIGHT = 36
Index = QModelIndex | QPersistentModelIndex


class ChatListModel(QAbstractListModel):
    """Chats whose titles contain the search."""

    renamed = Signal(str, str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shown: list[ChatSummary] = []

    def show_chats(self, chats: tuple[ChatSummary, ...], search: str) -> None:
        self.beginResetModel()
        needle = search.strip().casefold()
        self._shown = [chat for chat in chats if needle in self.title(chat).casefold()]
        self.endResetModel()

    def title(self, chat: ChatSummary) -> str:
        return " ".join(chat.title[:200].split()) or self._look.say("side.untitled")

    def chat_at(self, index: Index) -> ChatSummary:
        return self._shown[index.row()]

    def row_of(self, chat_id: str) -> int:
        return next((row for row, chat in enumerate(self._shown) if chat.id == chat_id), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        if role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.EditRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return self.title(self.chat_at(index))
        return None

    def setData(self, index: Index, value: str, role: int = Qt.ItemDataRole.EditRole) -> bool:
        title = str(value).strip()
        if title and title != self.chat_at(index).title:
            self.renamed.emit(self.chat_at(index).id, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable


class _Row(QStyledItemDelegate):
    """Draws a title, a dot while its answer is written, and … for the menu of the row under the pointer."""

    menu_wanted = Signal(QModelIndex, QPoint)

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = self._look.theme
        state, rect = option.state, option.rect
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.hover))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 8, 8)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(QColor(theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(1, 2, -1, -2), 7, 7)
        model = index.model()
        busy = isinstance(model, ChatListModel) and model.chat_at(index).busy
        right = 30 if hovered or chosen else 18 if busy else 8
        text_rect = rect.adjusted(11, 0, -right, 0)
        painter.setFont(ui_font(13, 500 if chosen else 400))
        painter.setPen(QColor(theme.text if chosen or hovered else theme.text_second))
        title = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, text_rect.width())
        painter.drawText(text_rect, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, title)
        if hovered or chosen:
            place = _dots_rect(rect)
            painter.drawPixmap(place.x() + 4, place.y() + 4, icons.pixmap("ellipsis", theme.text_second, 16))
        elif busy:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent))
            painter.drawEllipse(rect.right() - 14, rect.center().y() - 3, 7, 7)
        painter.restore()

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            place = _dots_rect(option.rect)
            if place.contains(event.position().toPoint()):
                self.menu_wanted.emit(index, event.globalPosition().toPoint())
                return True
        return super().editorEvent(event, model, option, index)


def _dots_rect(row: QRect) -> QRect:
    return QRect(row.right() - 28, row.center().y() - 12, 24, 24)


class ConversationList(QListView):
    """`opened`, `renamed` and `delete_wanted` carry chat ids."""

    opened = Signal(str)
    renamed = Signal(str, str)
    delete_wanted = Signal(str, str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._model = ChatListModel(look)
        self.setModel(self._model)
        row = _Row(look, self)
        self.setItemDelegate(row)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QListView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(
            lambda point: self._show_menu(self.indexAt(point), self.viewport().mapToGlobal(point))
        )
        row.menu_wanted.connect(self._show_menu)
        self.clicked.connect(lambda index: self.opened.emit(self._model.chat_at(index).id))
        self._model.renamed.connect(self.renamed)

    def show_chats(self, chats: tuple[ChatSummary, ...], search: str, current: str) -> None:
        """Show the chats that the search finds; `current` is the one on the screen, "" for none."""
        if self.state() == QListView.State.EditingState:
            return
        self._model.show_chats(chats, search)
        row = self._model.row_of(current)
        if row >= 0:
            self.setCurrentIndex(self._model.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if index.isValid() and event.key() == Qt.Key.Key_Delete:
            self._ask_delete(index)
        elif index.isValid() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(self._model.chat_at(index).id)
        else:
            super().keyPressEvent(event)

    def _ask_delete(self, index: Index) -> None:
        chat = self._model.chat_at(index)
        self.delete_wanted.emit(chat.id, self._model.title(chat))

    def _show_menu(self, index: QModelIndex, where: QPoint) -> None:
        if not index.isValid():
            return
        theme = self._look.theme
        chat_id = self._model.chat_at(index).id
        menu = menu_under(self)
        rename = menu.addAction(icons.icon("pencil", theme.text_second, 15), self._look.say("side.rename"))
        delete = menu.addAction(icons.icon("trash-2", theme.bad, 15), self._look.say("side.delete"))
        chosen = menu.exec(where)
        row = self._model.row_of(chat_id)  # the list may have moved while the menu was open
        if row >= 0 and chosen is rename:
            self.edit(self._model.index(row))
        elif row >= 0 and chosen is delete:
            self._ask_delete(self._model.index(row))
