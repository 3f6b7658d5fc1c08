"""Where the user writes: grows with the text, sends with Enter, leaves Enter to the input method while it composes."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QTextEdit, QVBoxLayout, QWidget

from app.gui import icons
from app.gui.look import Look
from app.gui.parts.basics import IconView, dress_button, ghost_button, plain_label, set_property
from app.gui.theme.fonts import ui_font
from app.gui.theme.tokens import READING

LINES_HEIGHT = (30, 220)
# Longer pastes become an attachment of the message: a text field lays out a megabyte for minutes.
PASTE_CHARACTERS = 10_000


class Field(QTextEdit):
    """The text field. `submitted`: Enter was pressed and meant."""

    submitted = Signal()
    cancelled = Signal()
    long_pasted = Signal(str)
    focus_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFont(ui_font(READING))
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(2)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._composing = False
        self.document().documentLayout().documentSizeChanged.connect(self._grow)
        self._grow()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # During composition Enter belongs to the input method: it takes the letters as they are.
            if self._composing:
                event.accept()
                return
            if not event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier):
                self.submitted.emit()
                return
        if event.key() == Qt.Key.Key_Escape and not self._composing:
            self.cancelled.emit()
            return
        super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text()
        if len(text) > PASTE_CHARACTERS:
            self.long_pasted.emit(text)
        else:
            super().insertFromMimeData(source)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._composing = False
        self.focus_changed.emit(False)

    def _grow(self) -> None:
        lowest, highest = LINES_HEIGHT
        self.setFixedHeight(min(max(ceil(self.document().size().height()) + 2, lowest), highest))


class Chip(QFrame):
    """A line above the text: what is attached or edited, with a cross to take it away."""

    removed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("chip")
        self._look = look
        self._icon = IconView(15)
        self._label = plain_label("", 13, shade=2)
        self._cross = ghost_button(look, "x", "composer.remove", pixels=13)
        self._cross.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 3, 4, 3)
        row.setSpacing(7)
        row.addWidget(self._icon)
        row.addWidget(self._label)
        row.addStretch(1)
        row.addWidget(self._cross)

    def show_text(self, icon_name: str, text: str) -> None:
        self._icon.show_icon(icon_name, self._look.theme.text_second)
        self._label.setText(text)
        dress_button(self._look, self._cross, "x", "composer.remove")


class Composer(QFrame):
    """`send_wanted` carries the text, pasted attachments included; it stays until `clear` (the service has it then)."""

    send_wanted = Signal(str)
    stop_wanted = Signal()
    edit_cancelled = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("composer")
        self._look = look
        self._writing = False
        self._ready = False
        self._sending = False
        self._pasted: list[str] = []
        self._editing = False
        self.field = Field()
        self._edit_chip, self._paste_chip = Chip(look), Chip(look)
        self._lock = IconView(13)
        self._promise = plain_label("", 12, shade=3)
        self.button = QPushButton()
        self.button.setProperty("kind", "round")
        self.button.setFixedSize(36, 36)
        self.button.setIconSize(QSize(18, 18))
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self._arrange()
        self.field.submitted.connect(self._submit)
        self.field.cancelled.connect(self._cancel)
        self.field.long_pasted.connect(self._attach)
        self.field.textChanged.connect(self._refresh_button)
        self.field.focus_changed.connect(lambda inside: set_property(self, "focused", "true" if inside else "false"))
        self.button.clicked.connect(self._on_button)
        self._edit_chip.removed.connect(self._cancel)
        self._paste_chip.removed.connect(self._detach)
        look.changed.connect(self._refresh)
        self._refresh()

    def _arrange(self) -> None:
        below = QHBoxLayout()
        below.setSpacing(6)
        below.addWidget(self._lock)
        below.addWidget(self._promise)
        below.addStretch(1)
        below.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 10, 9)
        column.setSpacing(4)
        for widget in (self._edit_chip, self._paste_chip, self.field):
            column.addWidget(widget)
        column.addLayout(below)
        QWidget.setTabOrder(self.field, self.button)

    def set_ready(self, ready: bool) -> None:
        """Whether there is a service and a model to send to."""
        self._ready = ready
        self._refresh_button()

    def set_writing(self, writing: bool) -> None:
        """While an answer is written the button stops it."""
        self._writing = writing
        self._refresh_button()

    def clear(self) -> None:
        """The service keeps the message now."""
        self._sending = self._editing = False
        self._pasted = []
        self.field.clear()
        self._refresh()

    def release(self) -> None:
        """Sending failed: the text is still here and may be sent again."""
        self._sending = False
        self._refresh_button()

    def edit(self, text: str) -> None:
        """Change an earlier message: its text, to be sent as a new version."""
        self._editing = True
        self._pasted = []
        if len(text) > PASTE_CHARACTERS:
            self._pasted, text = [text], ""
        self.field.setPlainText(text)
        self.field.moveCursor(self.field.textCursor().MoveOperation.End)
        self._refresh()
        self.field.setFocus()

    def suggest(self, text: str) -> None:
        """Put a text in, to be sent or changed."""
        self.field.setPlainText(text)
        self.field.moveCursor(self.field.textCursor().MoveOperation.End)
        self.field.setFocus()

    def _text(self) -> str:
        return "\n\n".join(part for part in (*self._pasted, self.field.toPlainText().strip()) if part)

    def _submit(self) -> None:
        text = self._text()
        if text and self._ready and not self._writing and not self._sending:
            self._sending = True
            self._refresh_button()
            self.send_wanted.emit(text)

    def _on_button(self) -> None:
        if self._writing:
            self.stop_wanted.emit()
        else:
            self._submit()
        self.field.setFocus()

    def _cancel(self) -> None:
        if self._editing:
            self.clear()
            self.edit_cancelled.emit()
        elif self._writing:
            self.stop_wanted.emit()

    def _attach(self, text: str) -> None:
        self._pasted.append(text)
        self._refresh()

    def _detach(self) -> None:
        self._pasted = []
        self._refresh()

    def _refresh(self) -> None:
        say = self._look.say
        self.field.setPlaceholderText(say("composer.placeholder"))
        self.field.setAccessibleName(say("composer.name"))
        self._promise.setText(say("composer.promise"))
        self._lock.show_icon("lock", self._look.theme.text_third)
        self._edit_chip.show_text("pencil", say("composer.editing"))
        self._edit_chip.setVisible(self._editing)
        count = sum(len(text) for text in self._pasted)
        self._paste_chip.show_text("file-text", say("composer.pasted", count=f"{count:,}"))
        self._paste_chip.setVisible(bool(self._pasted))
        self._refresh_button()

    def _refresh_button(self) -> None:
        theme = self._look.theme
        able = self._writing or (self._ready and not self._sending and bool(self._text()))
        self.button.setEnabled(able)
        colour = theme.on_accent if able else theme.text_third
        self.button.setIcon(icons.icon("square" if self._writing else "arrow-up", colour, 16 if self._writing else 18))
        name = self._look.say("composer.stop" if self._writing else "composer.send")
        self.button.setAccessibleName(name)
        self.button.setToolTip(name)
