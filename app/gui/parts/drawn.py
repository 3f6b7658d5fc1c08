"""Pictures drawn by us: the logo, the ring of the context meter, the memory bar."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

import resources
from app.gui.look import Look
from app.gui.theme.tokens import LIGHT, Theme


def paint_logo(painter: QPainter, size: float, theme: Theme) -> None:
    """A measuring dial, for 量: the app's icon in the colours of the theme."""
    svg = _logo_source()
    for own, themed in (
        (LIGHT.accent, theme.accent),
        (LIGHT.accent_hover, theme.accent_hover),
        (LIGHT.on_accent, theme.on_accent),
    ):
        svg = svg.replace(own, themed)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))


@lru_cache(maxsize=1)
def _logo_source() -> str:
    return resources.path("icons", "app", "liangli.svg").read_text(encoding="utf-8")


def window_icon() -> QIcon:
    """The logo for the title bar and the task list."""
    result = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        picture = QPixmap(size, size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        paint_logo(painter, size, LIGHT)
        painter.end()
        result.addPixmap(picture)
    return result


class Logo(QWidget):
    """The logo in the colours of the theme."""

    def __init__(self, look: Look, size: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self.setFixedSize(size, size)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_logo(painter, self.width(), self._look.theme)
        painter.end()


class Ring(QWidget):
    """A part of a whole as a ring. fraction: 0..1."""

    WIDTH = 2.6

    def __init__(self, look: Look, size: int = 18) -> None:
        super().__init__()
        self._look = look
        self._fraction = 0.0
        self.setFixedSize(size, size)

    def show_fraction(self, fraction: float) -> None:
        self._fraction = min(1.0, max(0.0, fraction))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = QRectF(self.rect()).adjusted(self.WIDTH, self.WIDTH, -self.WIDTH, -self.WIDTH)
        painter.setPen(QPen(QColor(theme.border_strong), self.WIDTH))
        painter.drawEllipse(ring)
        colour = theme.bad if self._fraction > 0.95 else theme.warn if self._fraction > 0.8 else theme.accent
        painter.setPen(QPen(QColor(colour), self.WIDTH, c=Qt.PenCapStyle.RoundCap))
        painter.drawArc(ring, 90 * 16, int(-360 * 16 * self._fraction))
        painter.end()


class MemoryBar(QWidget):
    """This computer's memory: what the models hold, what other programs hold, what is free."""

    HEIGHT = 6

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._parts = (0.0, 0.0)
        self.setFixedHeight(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, models: float, others: float) -> None:
        """Both as fractions of the whole memory."""
        self._parts = (models, others)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._look.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        frame = QPainterPath()
        frame.addRoundedRect(whole, self.HEIGHT / 2, self.HEIGHT / 2)
        painter.setClipPath(frame)
        painter.fillRect(whole, QColor(theme.track))
        left = 0.0
        for fraction, colour in zip(self._parts, (theme.accent, theme.memory_other), strict=True):
            width = whole.width() * fraction
            painter.fillRect(QRectF(left, 0, max(0.0, width - 1.5), whole.height()), QColor(colour))
            left += width
        painter.end()
