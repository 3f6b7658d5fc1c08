"""Paints a card: no widget is made for it, so hundreds of them cost nothing until they are seen."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.gui import icons
from app.gui.discover import phrases
from app.gui.discover.card import Card, Part
from app.gui.discover.card_model import CARD_ROLE
from app.gui.discover.card_places import AVATAR, CARD_HEIGHT, GAP, ICON, Measures, Places, places
from app.gui.look import Look
from app.gui.parts.basics import TONES
from app.gui.parts.monogram import paint_monogram
from app.gui.plans.bars import hatch
from app.gui.theme.tokens import RADIUS_LARGE, Theme

_Index = QModelIndex | QPersistentModelIndex
_ICONS = {
    Part.DOWNLOAD: "download",
    Part.CHAT: "message-square",
    Part.PAUSE: "pause",
    Part.RESUME: "play",
    Part.CANCEL: "x",
}
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
BAR_THICKNESS = 8
RING_WIDTH = 2.6


class CardPainter(QStyledItemDelegate):
    """hovered: the part under the mouse, by row, as the view sees it. chosen: the id of the model in the panel."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._measures = Measures()
        self._avatars: dict[tuple[str, str, float], QPixmap] = {}
        self.hovered: tuple[int, Part | None] = (-1, None)
        self.chosen = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, CARD_HEIGHT + GAP + 2)

    def places_of(self, item: QRect, index: _Index) -> Places:
        """Where the parts of this card are; item: the view's visualRect of it."""
        card = index.data(CARD_ROLE)
        return places(card, item, self._measures, self.action_words(card))

    def action_words(self, card: Card) -> str:
        return phrases.say(self._look.language, f"card.{card.action}") if card.action is not None else ""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        card, theme = index.data(CARD_ROLE), self._look.theme
        where = places(card, option.rect, self._measures, self.action_words(card))
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        hovered = self.hovered[1] if self.hovered[0] == index.row() else None
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._frame(painter, where.card, card, theme, focused=focused, over=self.hovered[0] == index.row())
        painter.drawPixmap(
            where.avatar.topLeft(), self._avatar(card.model.name.en, theme, painter.device().devicePixelRatio())
        )
        measures = self._measures
        _text(painter, where.title, card.title, measures.title, measures.title_metrics, theme.text)
        self._badge(painter, where.badge, card, theme)
        _text(painter, where.facts, card.facts, measures.small, measures.small_metrics, theme.text_second)
        self._low(painter, where, card, theme)
        self._progress(painter, where, card, theme)
        for part, place in where.presses:
            if part is card.action:
                self._button(painter, place, card, theme, hovered=hovered is part)
            else:
                self._control(painter, place, part, theme, hovered=hovered is part)
        painter.restore()

    def _frame(self, painter: QPainter, frame: QRect, card: Card, theme: Theme, *, focused: bool, over: bool) -> None:
        marked = card.model.id == self.chosen
        width = 2.0 if marked or focused else 1.0
        colour = theme.accent if marked or focused else theme.border_strong if over else theme.border
        painter.setPen(QPen(QColor(colour), width))
        painter.setBrush(QColor(theme.surface))
        half = width / 2
        painter.drawRoundedRect(QRectF(frame).adjusted(half, half, -half, -half), RADIUS_LARGE, RADIUS_LARGE)

    def _avatar(self, name: str, theme: Theme, ratio: float) -> QPixmap:
        """Kept once it is drawn: there are as many as letters, and its soft ground is slow to paint."""
        letter = next((one.upper() for one in name if one.isalnum()), "?")
        known = self._avatars.get((letter, theme.name, ratio))
        if known is None:
            known = QPixmap(round(AVATAR * ratio), round(AVATAR * ratio))
            known.setDevicePixelRatio(ratio)
            known.fill(Qt.GlobalColor.transparent)
            painter = QPainter(known)
            paint_monogram(painter, QRectF(0, 0, AVATAR, AVATAR), letter, theme)
            painter.end()
            self._avatars[letter, theme.name, ratio] = known
        return known

    def _badge(self, painter: QPainter, place: QRect, card: Card, theme: Theme) -> None:
        if card.badge is None:
            return
        tone, words = card.badge
        ground = {"good": theme.good_soft, "warn": theme.warn_soft, "bad": theme.bad_soft}.get(tone, theme.hover)
        ink = {"good": theme.good, "warn": theme.warn, "bad": theme.bad}.get(tone, theme.text_second)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(QRectF(place), place.height() / 2, place.height() / 2)
        left = place.left() + 9
        if tone in TONES:
            painter.drawPixmap(left - 1, place.top() + 5, icons.pixmap(TONES[tone], ink, ICON))
            left += ICON + 5
        room = QRect(left, place.top(), place.right() - left - 6, place.height())
        _text(painter, room, words, self._measures.strong, self._measures.strong_metrics, ink)

    def _low(self, painter: QPainter, where: Places, card: Card, theme: Theme) -> None:
        measures = self._measures
        if card.filled is not None:
            _bar(painter, where.bar, card.filled, theme)
            too_large = card.badge is not None and card.badge[0] == "bad"
            ink = theme.bad if too_large else theme.warn if card.filled > 1 else theme.text_second
            _text(painter, where.numbers, card.numbers, measures.small, measures.small_metrics, ink)
            for place, words, icon in ((where.speed, card.speed, "zap"), (where.size, card.size, "hard-drive")):
                if not place.isEmpty():
                    painter.drawPixmap(place.left(), place.top() + 3, icons.pixmap(icon, theme.text_third, ICON))
                    room = place.adjusted(ICON + 6, 0, 0, 0)
                    _text(painter, room, words, measures.small, measures.small_metrics, theme.text_second)
        elif card.note:
            _text(painter, where.note, card.note, measures.small, measures.small_metrics, theme.text_third)

    def _progress(self, painter: QPainter, where: Places, card: Card, theme: Theme) -> None:
        if card.progress is None:
            return
        ring = QRectF(where.ring).adjusted(RING_WIDTH, RING_WIDTH, -RING_WIDTH, -RING_WIDTH)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.border_strong), RING_WIDTH))
        painter.drawEllipse(ring)
        painter.setPen(QPen(QColor(theme.accent), RING_WIDTH, c=Qt.PenCapStyle.RoundCap))
        painter.drawArc(ring, 90 * 16, int(-360 * 16 * card.progress))
        measures = self._measures
        _text(painter, where.progress, card.progress_words, measures.strong, measures.strong_metrics, theme.text_second)

    def _button(self, painter: QPainter, place: QRect, card: Card, theme: Theme, *, hovered: bool) -> None:
        assert card.action is not None
        if card.primary:
            ground, ink = theme.accent_hover if hovered else theme.accent, theme.on_accent
            edge = ground
        else:
            ground, ink, edge = theme.hover if hovered else theme.surface, theme.text, theme.border_strong
        painter.setPen(QPen(QColor(edge), 1))
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 9, 9)
        left = place.left() + 15
        if card.action in _ICONS:
            painter.drawPixmap(left, place.top() + 9, icons.pixmap(_ICONS[card.action], ink, 16))
            left += 17 + 7
        room = QRect(left, place.top(), place.right() - left, place.height())
        measures = self._measures
        _text(painter, room, self.action_words(card), measures.button, measures.button_metrics, ink)

    def _control(self, painter: QPainter, place: QRect, part: Part, theme: Theme, *, hovered: bool) -> None:
        if hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.hover))
            painter.drawRoundedRect(QRectF(place), 8, 8)
        colour = theme.text if hovered else theme.text_second
        painter.drawPixmap(place.left() + 6, place.top() + 6, icons.pixmap(_ICONS[part], colour, 16))


def _bar(painter: QPainter, place: QRect, filled: float, theme: Theme) -> None:
    """The device that is fullest: what the model takes of its budget; what is too much is hatched in red."""
    bar = QRectF(place.left(), place.top() + (place.height() - BAR_THICKNESS) / 2, place.width(), BAR_THICKNESS)
    whole = max(1.0, filled)
    painter.save()
    frame = QPainterPath()
    frame.addRoundedRect(bar, BAR_THICKNESS / 2, BAR_THICKNESS / 2)
    painter.setClipPath(frame)
    painter.fillRect(bar, QColor(theme.track))
    limit = bar.width() / whole
    painter.fillRect(
        QRectF(bar.left(), bar.top(), min(limit, bar.width() * filled), bar.height()), QColor(theme.accent)
    )
    if filled > 1:
        hatch(painter, QRectF(bar.left() + limit, bar.top(), bar.width() - limit, bar.height()), theme)
    painter.restore()
    if filled > 1:
        painter.fillRect(QRectF(bar.left() + limit - 1, bar.top() - 3, 2, bar.height() + 6), QColor(theme.text))


def _text(painter: QPainter, place: QRect, words: str, font: QFont, metrics: QFontMetrics, colour: str) -> None:
    """One line, shortened with … where it does not fit."""
    if place.isEmpty() or not words:
        return
    painter.setFont(font)
    painter.setPen(QColor(colour))
    if metrics.horizontalAdvance(words) > place.width():
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, _LEFT, words)
