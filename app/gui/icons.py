"""Icons: the shipped SVGs drawn in a colour, kept once they are drawn."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

STROKE_WIDTH = 1.75


def pixmap(name: str, colour: str, pixels: int) -> QPixmap:
    """The icon at a size in device-independent pixels, sharp on the screen in use."""
    screen = QGuiApplication.primaryScreen()
    return _drawn(name, colour, pixels, screen.devicePixelRatio() if screen else 1.0)


def icon(name: str, colour: str, pixels: int = 18) -> QIcon:
    """The icon for a button or a menu."""
    return QIcon(pixmap(name, colour, pixels))


@lru_cache(maxsize=32)
def _source(name: str) -> str:
    return resources.path("icons", f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=256)
def _drawn(name: str, colour: str, pixels: int, ratio: float) -> QPixmap:
    svg = _source(name).replace("currentColor", colour).replace('stroke-width="2"', f'stroke-width="{STROKE_WIDTH}"')
    picture = QPixmap(QSize(round(pixels * ratio), round(pixels * ratio)))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture
