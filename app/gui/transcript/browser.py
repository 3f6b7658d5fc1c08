"""The text widget for everything that a model or a user wrote: it loads nothing and opens nothing by itself."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app.gui.transcript.tame import untamed


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
        """Nothing: a picture in a text must not reach the disk or the network, not even to see whether it is there."""
        return None

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
