"""The list of models, drawn row by row: hundreds of them cost no more than those that are seen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.gui import icons
from app.gui.library.rows import Heading, ModelRow, Row
from app.gui.look import Look
from app.gui.parts.basics import TONES
from app.gui.parts.monogram import paint_monogram
from app.gui.theme.fonts import ui_font
from app.gui.theme.tokens import RADIUS_LARGE

_HEADING_HEIGHT = 40
_CARD_HEIGHT = 68
_NOTE_HEIGHT = 24
_GAP = 8
_PADDING = 14
_MONOGRAM = 38
_BADGE_HEIGHT = 22
_Index = QModelIndex | QPersistentModelIndex


class RowModel(QAbstractListModel):
    """Rows as Qt asks for them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Where only what is said of the same models has changed, nothing is laid out anew."""
        if rows == self.rows:
            return
        same = [*map(_key, rows)] == [*map(_key, self.rows)]
        if same:
            self.rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 as Qt declares it
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        heading = isinstance(row, Heading)
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title if isinstance(row, Heading) else row.model.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.title} {row.note}" if isinstance(row, Heading) else row.spoken
        if role == Qt.ItemDataRole.ToolTipRole and not heading and isinstance(row, ModelRow):
            return "\n".join(part for part in (row.model.name, row.facts, row.note, row.model.path) if part)
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid() or isinstance(self.rows[index.row()], Heading):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren


class ModelListView(QListView):
    """`looked_at`: another model is chosen, "" for none; `opened`: it was clicked twice, or Return was pressed;
    `delete_wanted`: the Delete key."""

    looked_at = Signal(str)
    opened = Signal(str)
    delete_wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._rows = RowModel()
        self.setModel(self._rows)
        self.setItemDelegate(RowDelegate(look, self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalScrollBar().setSingleStep(24)
        self.selectionModel().currentChanged.connect(lambda *_: self.looked_at.emit(self.chosen))
        self.doubleClicked.connect(lambda _: self.opened.emit(self.chosen))

    @property
    def chosen(self) -> str:
        """The id of the model that is chosen, "" if none."""
        index = self.currentIndex()
        row = self._rows.rows[index.row()] if index.isValid() else None
        return row.model.id if isinstance(row, ModelRow) else ""

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown."""
        return self._rows.rows

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """The chosen model stays chosen and where it is on the screen."""
        chosen, place = self.chosen, self.verticalScrollBar().value()
        self._rows.show_rows(rows)
        if chosen and self.chosen != chosen and not self.choose(chosen):
            self.looked_at.emit("")
        self.verticalScrollBar().setValue(place)

    def choose(self, model_id: str) -> bool:
        """Choose a model; False if it is not in the list."""
        for place, row in enumerate(self._rows.rows):
            if isinstance(row, ModelRow) and row.model.id == model_id:
                self.setCurrentIndex(self._rows.index(place))
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.chosen:
            self.delete_wanted.emit(self.chosen)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chosen:
            self.opened.emit(self.chosen)
        else:
            super().keyPressEvent(event)


class RowDelegate(QStyledItemDelegate):
    """Draws headings, and models as cards."""

    def __init__(self, look: Look, parent: QListView) -> None:
        super().__init__(parent)
        self._look = look
        self._name, self._small = ui_font(15, 600), ui_font(12)
        self._badge, self._place = ui_font(12, 500), ui_font(14, 600)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        row = index.data(Qt.ItemDataRole.UserRole)
        if isinstance(row, Heading):
            return QSize(10, _HEADING_HEIGHT)
        return QSize(10, _CARD_HEIGHT + _GAP + (_NOTE_HEIGHT if row.note else 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        place: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, Heading):
            self._paint_heading(painter, place, row)
        else:
            self._paint_model(painter, place.adjusted(1, 0, -9, -_GAP), row, option.state)
        painter.restore()

    def _paint_heading(self, painter: QPainter, place: QRect, row: Heading) -> None:
        theme = self._look.theme
        line = place.adjusted(2, 6, -9, 0)
        width = QFontMetrics(self._place).horizontalAdvance(row.title)
        self._write(painter, line, row.title, self._place, theme.text)
        self._write(painter, line.adjusted(width + 10, 0, 0, 0), row.note, self._small, theme.text_third)

    def _paint_model(self, painter: QPainter, card: QRect, row: ModelRow, state: QStyle.StateFlag) -> None:
        theme = self._look.theme
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        colour = theme.accent if chosen else theme.border_strong if hovered else theme.border
        width = 2 if chosen else 1
        painter.setPen(QPen(QColor(colour), width))
        painter.setBrush(QColor(theme.surface))
        edge = width / 2
        painter.drawRoundedRect(QRectF(card).adjusted(edge, edge, -edge, -edge), RADIUS_LARGE, RADIUS_LARGE)
        top = card.top() + (_CARD_HEIGHT - _MONOGRAM) // 2
        paint_monogram(
            painter, QRectF(card.left() + _PADDING, top, _MONOGRAM, _MONOGRAM), row.model.name or row.model.id, theme
        )
        left = card.left() + _PADDING + _MONOGRAM + 12
        right = card.right() - _PADDING
        room = right - left
        if row.badge:
            room -= self._paint_badge(painter, right, top - 3, row) + 10
        self._write(painter, QRect(left, top - 3, room, 22), row.model.name or row.model.id, self._name, theme.text)
        self._write(painter, QRect(left, top + 20, right - left, 18), row.facts, self._small, theme.text_second)
        if row.note:
            ink = self._tone(row.tone)[0] if row.tone in ("warn", "bad") else theme.text_second
            self._write(painter, QRect(left, top + 42, right - left, 18), row.note, self._small, ink)

    def _paint_badge(self, painter: QPainter, right: int, top: int, row: ModelRow) -> int:
        """At the right; returns its width."""
        ink, ground = self._tone(row.tone)
        width = QFontMetrics(self._badge).horizontalAdvance(row.badge) + 14 + 5 + 17
        place = QRect(right - width, top, width, _BADGE_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(place, _BADGE_HEIGHT / 2, _BADGE_HEIGHT / 2)
        painter.drawPixmap(place.left() + 8, place.top() + 4, icons.pixmap(TONES[row.tone], ink, 14))
        self._write(painter, place.adjusted(27, 0, 0, 0), row.badge, self._badge, ink)
        return width

    def _tone(self, tone: str) -> tuple[str, str]:
        theme = self._look.theme
        inks = {
            "good": (theme.good, theme.good_soft),
            "warn": (theme.warn, theme.warn_soft),
            "bad": (theme.bad, theme.bad_soft),
        }
        return inks.get(tone, (theme.text_second, theme.hover))

    def _write(self, painter: QPainter, place: QRect, words: str, font: QFont, colour: str) -> None:
        shown = QFontMetrics(font).elidedText(
            words.replace("\n", " ")[:400], Qt.TextElideMode.ElideRight, max(0, place.width())
        )
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


def _key(row: Row) -> tuple[str, bool]:
    return (row.title, False) if isinstance(row, Heading) else (row.model.id, bool(row.note))
