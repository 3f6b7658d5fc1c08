"""The scrollable list of cards: what is pressed on them, and which of them are on the screen."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QToolTip

from app.gui.discover import phrases
from app.gui.discover.card import Card, Part
from app.gui.discover.card_model import CARD_ROLE, CardModel
from app.gui.discover.card_painter import CardPainter
from app.gui.look import Look

SEEN_MILLISECONDS = 60
STEP_PIXELS = 48


class CardList(QListView):
    """`opened`: a card was clicked or Enter pressed on it; `passed`: the arrow keys went to it; `pressed_part`: a part
    of it, with the id of the model; `seen`: the ids that are on the screen; `touched`: the user works with the list."""

    opened = Signal(str)
    passed = Signal(str)
    pressed_part = Signal(str, object)
    seen = Signal(object)
    touched = Signal()

    def __init__(self, look: Look, model: CardModel) -> None:
        super().__init__()
        self._look, self._cards = look, model
        self.painter = CardPainter(look)
        self._pressed: tuple[int, Part | None] = (-1, None)
        self.setModel(model)
        self.setItemDelegate(self.painter)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(STEP_PIXELS)
        self._tell = QTimer(self, interval=SEEN_MILLISECONDS, singleShot=True)
        self._tell.timeout.connect(lambda: self.seen.emit(self.visible_ids()))
        self.verticalScrollBar().valueChanged.connect(self._on_scroll)
        self._current, self._scrolled = "", 0
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._recall)
        look.changed.connect(self._on_look)

    def choose(self, model_id: str) -> None:
        """Mark the model that the panel shows; "" for none."""
        self.painter.chosen = model_id
        self.viewport().update()

    def go_to(self, model_id: str) -> bool:
        """Make a card the current one and scroll to it; False where it is not in the list."""
        row = self._cards.row_of(model_id)
        if row < 0:
            return False
        self.setCurrentIndex(self._cards.index(row))
        self.scrollTo(self._cards.index(row))
        return True

    def start_over(self) -> None:
        """Something else is looked for: its best match is what is wanted now."""
        self.setCurrentIndex(QModelIndex())
        self.scrollToTop()

    def current_id(self) -> str:
        card = self._card(self.currentIndex())
        return card.model.id if card else ""

    def visible_ids(self) -> tuple[str, ...]:
        """The models whose cards are on the screen, from the top."""
        height = self.viewport().height()
        first, last = self.indexAt(QPoint(20, 4)), self.indexAt(QPoint(20, height - 4))
        if not first.isValid():
            return ()
        return self._cards.ids(first.row(), last.row() if last.isValid() else self._cards.rowCount() - 1)

    # What the user does

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index, part = self._at(event.position().toPoint())
        hovered = (index.row(), part)
        if hovered != self.painter.hovered:
            self._repaint_row(self.painter.hovered[0])
            self.painter.hovered = hovered
            self._repaint_row(hovered[0])
        on_card = index.isValid()
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if on_card else Qt.CursorShape.ArrowCursor)

    def leaveEvent(self, event: QEvent) -> None:
        self._repaint_row(self.painter.hovered[0])
        self.painter.hovered = (-1, None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index, part = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            self._pressed = (index.row(), part)
            self.touched.emit()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index, part = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid() and self._pressed == (index.row(), part):
            self._press(index, part)
        self._pressed = (-1, None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.touched.emit()
            self._press(self.currentIndex(), None)
            return
        before = self.currentIndex()
        super().keyPressEvent(event)
        if self.currentIndex() != before:
            self.touched.emit()
            self.passed.emit(self.current_id())

    def _press(self, index: QModelIndex, part: Part | None) -> None:
        card = self._card(index)
        if card is not None:
            if part is None:
                self.opened.emit(card.model.id)
            else:
                self.pressed_part.emit(card.model.id, part)

    # What Qt asks

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        if not self.currentIndex().isValid() and self._cards.rowCount():
            self.setCurrentIndex(self.indexAt(QPoint(20, 4)))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index, part = self._at(event.pos())
            QToolTip.showText(event.globalPos(), self._tip(index, part), self)
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (row := self._cards.row_of(self.painter.chosen)) >= 0:
            self.scrollTo(self._cards.index(row))  # the panel that opens must not hide what it shows
        self._tell.start()

    def _tip(self, index: QModelIndex, part: Part | None) -> str:
        """The name of a small button; else what did not fit into its line."""
        card = self._card(index)
        if card is None:
            return ""
        if part in (Part.PAUSE, Part.RESUME, Part.CANCEL):
            return phrases.say(self._look.language, f"download.{part}")
        return "\n".join(line for line in (card.title, card.facts, card.note) if line)

    def _card(self, index: QModelIndex) -> Card | None:
        card = index.data(CARD_ROLE) if index.isValid() else None
        return card if isinstance(card, Card) else None

    def _at(self, point: QPoint) -> tuple[QModelIndex, Part | None]:
        """The card at a point of the viewport, and the part of it; the gaps belong to none."""
        index = self.indexAt(point)
        if not index.isValid():
            return QModelIndex(), None
        where = self.painter.places_of(self.visualRect(index), index)
        return (index, where.part_at(point)) if where.card.contains(point) else (QModelIndex(), None)

    def _repaint_row(self, row: int) -> None:
        if row >= 0:
            self.viewport().update(self.visualRect(self._cards.index(row)))

    def _on_scroll(self, value: int) -> None:
        self._tell.start()
        if value > 0 and self.isVisible():
            self.touched.emit()

    def _remember(self) -> None:
        self._current, self._scrolled = self.current_id(), self.verticalScrollBar().value()

    def _recall(self) -> None:
        """The same card is the current one, wherever it is now, and nothing scrolls by itself."""
        row = self._cards.row_of(self._current)
        if row >= 0:
            self.setCurrentIndex(self._cards.index(row))
        self.doItemsLayout()
        self.verticalScrollBar().setValue(self._scrolled)
        self._tell.start()

    def _on_look(self) -> None:
        self.viewport().update()
