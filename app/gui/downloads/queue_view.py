"""The cards of the queue, which take each other's place when one is dragged."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.download_values import DownloadStatus
from app.gui.downloads.card import DRAG_FORMAT, DownloadCard
from app.gui.downloads.telling import model_of
from app.gui.downloads.watch import STARTER, DownloadWatch
from app.gui.look import Look
from app.gui.session import Session

_SPACING = 10


class QueueView(QWidget):
    """`moved` carries an id and the id of the download that it is put before, "" for the end."""

    moved = Signal(str, str)
    cancel_wanted = Signal(str)
    folder_wanted = Signal(str)
    chat_wanted = Signal(str)

    def __init__(self, look: Look, session: Session, watch: DownloadWatch) -> None:
        super().__init__()
        self._look, self._session, self._watch = look, session, watch
        self.cards: dict[str, DownloadCard] = {}
        self._line: int | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(_SPACING)
        self.setAcceptDrops(True)

    def show_downloads(self, downloads: tuple[DownloadStatus, ...]) -> None:
        """Cards are kept as long as their download is there, so that progress costs little."""
        ids = [one.id for one in downloads]
        for gone in [one for one in self.cards if one not in ids]:
            card = self.cards.pop(gone)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for status in downloads:
            if status.id not in self.cards:
                self.cards[status.id] = self._new_card(status)
        if [*self.cards] != ids:
            self.cards = {one: self.cards[one] for one in ids}
        for place, card in enumerate(self.cards.values()):
            if (item := self._column.itemAt(place)) is None or item.widget() is not card:
                self._column.insertWidget(place, card)
        movable = [one for one in ids if not one.startswith(STARTER)]
        for status in downloads:
            self._fill(self.cards[status.id], status, movable)
        self.setVisible(bool(downloads))

    def neighbour(self, download_id: str, step: int) -> str:
        """What `download_id` is to be put before to go one place up (-1) or down (1); "" for the end."""
        order = [one for one in self.cards if not one.startswith(STARTER)]
        place = order.index(download_id)
        target = place - 1 if step < 0 else place + 2
        return order[max(0, target)] if target < len(order) else ""

    def _new_card(self, status: DownloadStatus) -> DownloadCard:
        card = DownloadCard(self._look, status)
        card.pause_wanted.connect(self._watch.pause)
        card.resume_wanted.connect(self._watch.resume)
        card.cancel_wanted.connect(self.cancel_wanted)
        card.folder_wanted.connect(self.folder_wanted)
        card.chat_wanted.connect(self.chat_wanted)
        card.up_wanted.connect(lambda one: self.moved.emit(one, self.neighbour(one, -1)))
        card.down_wanted.connect(lambda one: self.moved.emit(one, self.neighbour(one, 1)))
        return card

    def _fill(self, card: DownloadCard, status: DownloadStatus, movable: list[str]) -> None:
        done = status.state == "done"
        card.show_download(
            status,
            model=model_of(status, self._session.models or ()) if done else None,
            hours=str(self._session.settings.get("download_hours", "")),
            since=self._watch.waiting_since(status.id),
            first=not movable or status.id == movable[0],
            last=not movable or status.id == movable[-1],
        )

    # A card that is dragged over the others

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if bytes(event.mimeData().data(DRAG_FORMAT).data()).decode() in self.cards:
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._show_line(self._line_at(self._place_at(event.position().y())))
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._show_line(None)

    def dropEvent(self, event: QDropEvent) -> None:
        self._show_line(None)
        moved = bytes(event.mimeData().data(DRAG_FORMAT).data()).decode()
        order = [one for one in self.cards if not one.startswith(STARTER)]
        place = self._place_at(event.position().y())
        before = order[place] if place < len(order) else ""
        event.acceptProposedAction()
        if moved in order and before != moved and place != order.index(moved) + 1:
            self.moved.emit(moved, before)

    def _place_at(self, y: float) -> int:
        """Before which of the cards that can be moved something dropped at this height belongs."""
        cards = [card for one, card in self.cards.items() if not one.startswith(STARTER)]
        return sum(y > card.geometry().center().y() for card in cards)

    def _line_at(self, place: int) -> int:
        cards = [card for one, card in self.cards.items() if not one.startswith(STARTER)]
        if place < len(cards):
            return max(0, cards[place].geometry().top() - _SPACING // 2 - 1)
        return min(self.height() - 2, cards[-1].geometry().bottom() + _SPACING // 2) if cards else 0

    def _show_line(self, line: int | None) -> None:
        if line != self._line:
            self._line = line
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._line is not None:
            painter = QPainter(self)
            painter.fillRect(0, self._line, self.width(), 2, QColor(self._look.theme.accent))
            painter.end()
