"""The pieces a message is built of: prose, code, plain text. Each says how high it is at a width."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QWidget

from app.gui.look import Look
from app.gui.parts.basics import ghost_button, plain_label
from app.gui.theme.fonts import mono_font, ui_font
from app.gui.theme.tokens import READING
from app.gui.transcript import html
from app.gui.transcript.browser import SafeBrowser
from app.gui.transcript.highlight import highlighted
from app.gui.transcript.markdown import Code, Prose
from app.gui.transcript.tame import tamed_plain, untamed


class ProseView(SafeBrowser):
    """Paragraphs, lists, tables."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self.setFont(ui_font(READING))
        self.document().setDefaultFont(ui_font(READING))
        self.document().setDefaultStyleSheet(html.style(look.theme))
        self.setAccessibleName(look.say("answer.text"))
        self._shown: Prose | None = None

    def show_segment(self, segment: Prose) -> None:
        if segment != self._shown:
            self._shown = segment
            self.document().setHtml(html.to_html(segment.tokens, self._look.theme))

    def fit(self, width: int) -> int:
        """Take the width and the height that goes with it; returns the height."""
        return _fit_document(self, width)


class PlainView(SafeBrowser):
    """Text that is shown as it is, without any markup."""

    def __init__(self, parent: QWidget, pixels: int = READING) -> None:
        super().__init__(parent)
        self.setFont(ui_font(pixels))
        self.document().setDefaultFont(ui_font(pixels))

    def show_text(self, text: str) -> None:
        self.document().setPlainText(tamed_plain(text))

    def fit(self, width: int) -> int:
        return _fit_document(self, width)

    def ideal_width(self, most: int) -> int:
        """The width that the text wants, at most `most`."""
        self.setLineWrapColumnOrWidth(most)
        return min(most, ceil(self.document().idealWidth()) + 1)


class CodeView(QFrame):
    """A code block: its language, a copy button, and the code, scrolled sideways where it is long."""

    copied = Signal()
    TITLE_HEIGHT = 34
    MARGIN = 14

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("code")
        self._look = look
        self._code = Code(start=-1, language="", content="")
        self._language = plain_label("", 12, shade=3, parent=self)
        self._copy = ghost_button(look, "copy", "answer.copy_code", pixels=14, words="answer.copy", parent=self)
        self._copy.clicked.connect(self._copy_code)
        self._view = SafeBrowser(self)
        self._view.setLineWrapMode(SafeBrowser.LineWrapMode.NoWrap)
        self._view.setFont(mono_font())
        self._view.document().setDefaultFont(mono_font())
        self._view.document().setDefaultStyleSheet("pre { line-height: 120%; margin: 0; }")
        self._view.setAccessibleName(look.say("answer.code"))

    def show_segment(self, segment: Code) -> None:
        if segment == self._code:
            return
        self._code = segment
        self._language.setText(segment.language or self._look.say("answer.plain_code"))
        content = segment.content.rstrip("\n")
        self._view.setHtml(f"<pre>{highlighted(content, segment.language, self._look.theme.syntax)}</pre>")

    def fit(self, width: int) -> int:
        inner = width - 2 * self.MARGIN
        size = self._view.document().size()
        sideways = self._view.document().idealWidth() > inner
        height = ceil(size.height()) + (14 if sideways else 0)
        policy = self._view.horizontalScrollBarPolicy()
        wanted = policy.ScrollBarAlwaysOn if sideways else policy.ScrollBarAlwaysOff
        if wanted != policy:
            self._view.setHorizontalScrollBarPolicy(wanted)
        self._view.setGeometry(self.MARGIN, self.TITLE_HEIGHT, inner, height)
        self._language.setGeometry(self.MARGIN, 8, inner - 120, 20)
        copy = self._copy.sizeHint()
        self._copy.setGeometry(width - copy.width() - 8, 4, copy.width(), copy.height())
        total = self.TITLE_HEIGHT + height + (4 if sideways else 12)
        self.resize(width, total)
        return total

    def _copy_code(self) -> None:
        QGuiApplication.clipboard().setText(untamed(self._code.content))
        self.copied.emit()


def _fit_document(view: SafeBrowser, width: int) -> int:
    if view.lineWrapColumnOrWidth() != width:
        view.setLineWrapColumnOrWidth(width)
    height = ceil(view.document().size().height())
    if view.width() != width or view.height() != height:
        view.resize(width, height)
    return height
