"""Draws an SVG in the sizes that are asked for. Run with the build environment's Python, which has Qt."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer


def draw(svg: Path, target: Path, size: int, margin: float) -> None:
    """A PNG of size × size pixels, transparent; `margin` is left free on each side, as a part of the size."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inner = size * (1 - 2 * margin)
    QSvgRenderer(str(svg)).render(painter, QRectF(size * margin, size * margin, inner, inner))
    painter.end()
    if not image.save(str(target), "PNG"):
        raise SystemExit(f"{target} could not be written")


if __name__ == "__main__":
    # SVG MARGIN, then pairs of a size and the file for it.
    source, margin_part, *pairs = sys.argv[1:]
    for wanted, file in zip(pairs[::2], pairs[1::2], strict=True):
        draw(Path(source), Path(file), int(wanted), float(margin_part))
