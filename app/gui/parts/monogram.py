"""The first letter of a name on a soft ground, so that a list of models is easy to look through."""

from __future__ import annotations

from zlib import crc32

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.gui.look import Look
from app.gui.theme.fonts import ui_font
from app.gui.theme.tokens import Theme

_GROUND_ALPHA = 34


def paint_monogram(painter: QPainter, place: QRectF, name: str, theme: Theme) -> None:
    """In one of a few colours, always the same for one letter."""
    letter = next((character for character in name if character.isalnum()), "?").upper()
    inks = (theme.accent, theme.syntax.name, theme.warn, theme.syntax.keyword, theme.text_second)
    ink = QColor(inks[crc32(letter.encode()) % len(inks)])
    ground = QColor(ink)
    ground.setAlpha(_GROUND_ALPHA)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(place, 9, 9)
    painter.setPen(ink)
    painter.setFont(ui_font(round(place.height() * 0.45), 700))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, letter)


class Monogram(QWidget):
    """Only to be looked at: what it stands for is always named beside it."""

    def __init__(self, look: Look, name: str, pixels: int = 38) -> None:
        super().__init__()
        self._look, self._shown = look, name
        self.setFixedSize(pixels, pixels)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_monogram(painter, QRectF(self.rect()), self._shown, self._look.theme)
        painter.end()
