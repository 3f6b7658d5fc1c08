"""The text widget for everything that a model or a user wrote: it loads nothing and opens nothing by itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from PySide6.QtCore import QByteArray, QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import QImage, QTextDocument, QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app.gui.transcript.tame import untamed


@lru_cache(maxsize=1)
def _no_picture() -> QImage:
    picture = QImage(1, 1, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    return picture


class SafeBrowser(QTextBrowser):
    """Shows text at its full height; scrolls at most sideways. `link_wanted`: the user clicked an address."""

    link_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The width is given from outside; left to itself the widget would lay the text out again at its own.
        self.setLineWrapMode(QTextBrowser.LineWrapMode.FixedPixelWidth)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self.anchorClicked.connect(
            lambda url: self.link_wanted.emit(url.toString(QUrl.ComponentFormattingOption.FullyEncoded))
        )

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """An empty picture or text: nothing in a text may reach the disk or the network, not even to look for it.

        None would not do: Qt then reads a picture from the file of that name itself.
        """
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return _no_picture()
        return QByteArray()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Plain text only, as it was written."""
        data = QMimeData()
        data.setText(untamed(self.textCursor().selection().toPlainText()))
        return data

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Sideways here, up and down in the transcript."""
        if abs(event.angleDelta().x()) > abs(event.angleDelta().y()):
            super().wheelEvent(event)
        else:
            event.ignore()
