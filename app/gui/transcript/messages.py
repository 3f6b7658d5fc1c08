"""One message of the transcript as a widget: a user's bubble, or an answer that may still be growing."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from app import words
from app.gui import icons
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.parts.drawn import Logo
from app.gui.theme.fonts import ui_font
from app.gui.transcript.blocks import CodeView, PlainView, ProseView
from app.gui.transcript.footer import Footer
from app.gui.transcript.markdown import Code, Segment, segments
from app.gui.transcript.notice import Notice
from app.gui.transcript.tame import tamed_markdown
from app.values import ChatMessage

# More is kept, copied and sent, but drawn only in a window of its own: nobody reads it here, and it costs memory.
SHOWN_CHARACTERS = 100_000
PREVIEW_CHARACTERS = 3_000
PREVIEW_LINES = 24
THOUGHT_CHARACTERS = 20_000
BUBBLE_WIDTH = 580
GAP = 8

SegmentView = TypeVar("SegmentView", ProseView, CodeView)


class MessageView(QWidget):
    """Base of both. `wanted`: an action of the user on this message; `height_changed`: lay it out again."""

    wanted = Signal(str)
    link_wanted = Signal(str)
    height_changed = Signal()

    def __init__(self, look: Look, role: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.look = look
        self.footer = Footer(look, role, self)
        self.footer.wanted.connect(self.wanted)
        self.long_notice = Notice(look, self)
        self.long_notice.button.clicked.connect(lambda: self.wanted.emit("whole"))
        self.long_notice.hide()

    def show_message(self, message: ChatMessage, *, is_last: bool, waiting: str = "") -> None:
        """Show the message as it is now; cheap when it is the one shown before with more text."""
        raise NotImplementedError

    def fit(self, width: int) -> int:
        """Lay the pieces out for a width; returns the height, which the widget has taken."""
        raise NotImplementedError

    def _mention_length(self, message: ChatMessage, shown: int) -> None:
        too_long = len(message.text) > shown
        if too_long:
            text = self.look.say("answer.long", count=f"{len(message.text):,}", shown=f"{shown:,}")
            self.long_notice.show_notice("plain", text, self.look.say("answer.whole"))
        self.long_notice.setVisible(too_long)


class UserMessage(MessageView):
    """What the user wrote, as it was written, in a bubble at the right."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(look, "user", parent)
        self._bubble = QFrame(self)
        self._bubble.setObjectName("bubble")
        self._text = PlainView(self._bubble)
        self._text.setAccessibleName(look.say("answer.your_text"))
        self._shown = ""

    def show_message(self, message: ChatMessage, *, is_last: bool, waiting: str = "") -> None:
        preview = "\n".join(message.text[:PREVIEW_CHARACTERS].split("\n")[:PREVIEW_LINES])
        if preview != self._shown:
            self._shown = preview
            self._text.show_text(preview)
        self._mention_length(message, len(preview))
        self.footer.show_message(message, is_last=is_last)

    def fit(self, width: int) -> int:
        most = min(BUBBLE_WIDTH, width - 40)
        text_width = self._text.ideal_width(most - 32)
        text_height = self._text.fit(text_width)
        self._text.move(16, 11)
        self._bubble.setGeometry(width - text_width - 32, 0, text_width + 32, text_height + 22)
        y = text_height + 22 + 4
        if self.long_notice.isVisibleTo(self):
            y += 4
            height = self.long_notice.fit(most)
            self.long_notice.move(width - most, y)
            y += height + 4
        self.footer.setGeometry(0, y, width, Footer.HEIGHT)
        y += Footer.HEIGHT
        self.resize(width, y)
        return y


class AssistantMessage(MessageView):
    """An answer: who answered, its thoughts when opened, Markdown in segments, what went wrong, and the footer."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(look, "assistant", parent)
        self._segments: list[ProseView | CodeView] = []
        self._source = ""
        # Segments before this one are final, and so is the source before this offset.
        self._first_open = 0
        self._stable_characters = 0
        self._reasoning = ""
        self._logo = Logo(look, 24, self)
        self._name = plain_label(look.say("app.name"), 14, 600, parent=self)
        self._model = plain_label("", 12, shade=3, parent=self)
        self._think = push_button("chip")
        self._think.setParent(self)
        self._think.setCheckable(True)
        self._think.setFont(ui_font(12))
        self._think.setIcon(icons.icon("sparkles", look.theme.text_third, 14))
        self._think.toggled.connect(self._show_thoughts)
        self._thoughts = QFrame(self)
        self._thoughts.setObjectName("thoughts")
        self._thoughts_text = PlainView(self._thoughts, 14)
        self._thoughts_text.setProperty("shade", "2")
        self._thoughts.hide()
        self._waiting = plain_label("", 14, shade=3, parent=self)
        self._notice = Notice(look, self)
        self._notice.hide()

    @property
    def think_button(self) -> QPushButton:
        return self._think

    def show_message(self, message: ChatMessage, *, is_last: bool, waiting: str = "") -> None:
        streaming = message.state == "streaming"
        self._model.setText(message.model)
        self._show_reasoning(message, streaming)
        self._show_text(message.text)
        self._waiting.setText(waiting)
        self._waiting.setVisible(streaming and not message.text and bool(waiting))
        self._show_ending(message)
        self._mention_length(message, SHOWN_CHARACTERS)
        self.footer.setVisible(not streaming)
        self.footer.show_message(message, is_last=is_last)

    def fit(self, width: int) -> int:
        y = self._fit_title(width)
        if self._thoughts.isVisibleTo(self):
            height = self._thoughts_text.fit(width - 16)
            self._thoughts_text.move(14, 0)
            self._thoughts.setGeometry(0, y, width, height)
            y += height + 12
        for segment in self._segments:
            height = segment.fit(width)
            segment.move(0, y)
            y += height + GAP
        if self._waiting.isVisibleTo(self):
            self._waiting.setGeometry(0, y, width, 24)
            y += 24 + GAP
        for notice in (self.long_notice, self._notice):
            if notice.isVisibleTo(self):
                height = notice.fit(width)
                notice.move(0, y + 2)
                y += height + 2 + GAP
        if self.footer.isVisibleTo(self):
            self.footer.setGeometry(-5, y - 2, width + 5, Footer.HEIGHT)
            y += Footer.HEIGHT
        self.resize(width, y)
        return y

    def _fit_title(self, width: int) -> int:
        x, height = 0, 28
        for widget, gap in ((self._logo, 9), (self._name, 8), (self._model, 10), (self._think, 0)):
            hint = widget.size() if widget is self._logo else widget.sizeHint()
            wide = min(hint.width(), max(0, width - x))
            widget.setGeometry(x, (height - hint.height()) // 2, wide, hint.height())
            x += wide + gap
        return height + 8

    def _show_reasoning(self, message: ChatMessage, streaming: bool) -> None:
        thinking = streaming and not message.text
        key = "answer.thinking" if thinking else "answer.thoughts"
        label = " " + self.look.say(key, count=f"{len(message.reasoning):,}")
        if self._think.text() != label:
            self._think.setText(label)
            self._think.setAccessibleName(label.strip())
        self._think.setVisible(bool(message.reasoning))
        if message.reasoning != self._reasoning:
            self._reasoning = message.reasoning
            if self._think.isChecked():
                self._show_thoughts(True)

    def _show_thoughts(self, opened: bool) -> None:
        if opened:
            self._thoughts_text.show_text(self._reasoning.strip()[-THOUGHT_CHARACTERS:])
        self._thoughts.setVisible(opened and bool(self._reasoning))
        self.height_changed.emit()

    def _show_text(self, text: str) -> None:
        source = tamed_markdown(text[:SHOWN_CHARACTERS])
        if source == self._source:
            return
        if not source.startswith(self._source):
            self._first_open = self._stable_characters = 0
        self._source = source
        found = segments(source[self._stable_characters :])
        self._show_segments(found)
        if len(found) > 1:
            self._first_open += len(found) - 1
            self._stable_characters += found[-1].start

    def _show_segments(self, found: list[Segment]) -> None:
        """Show these from `_first_open` on; widgets of the right kind are used again."""
        for index, segment in enumerate(found, self._first_open):
            if isinstance(segment, Code):
                self._place(index, CodeView).show_segment(segment)
            else:
                self._place(index, ProseView).show_segment(segment)
        self._drop_segments(self._first_open + len(found))

    def _place(self, index: int, kind: type[SegmentView]) -> SegmentView:
        """The widget at a place, made anew if there is none or one of the other kind."""
        if index < len(self._segments):
            present = self._segments[index]
            if isinstance(present, kind):
                return present
            self._drop_segments(index)
        view = kind(self.look, self)
        if isinstance(view, ProseView):
            view.link_wanted.connect(self.link_wanted)
        view.show()
        self._segments.append(view)
        return view

    def _drop_segments(self, first: int) -> None:
        for view in self._segments[first:]:
            view.hide()
            view.deleteLater()
        del self._segments[first:]

    def _show_ending(self, message: ChatMessage) -> None:
        """Why the answer ended early, in plain words."""
        text = ""
        if message.error is not None:
            text = words.describe(message.error.code, message.error.fields, self.look.language)
        elif message.state in ("interrupted", "failed", "length", "stopped"):
            text = self.look.say(f"answer.{message.state}")
        tone = {"failed": "bad", "interrupted": "warn"}.get(message.state, "plain")
        if text:
            self._notice.show_notice(tone, text)
        self._notice.setVisible(bool(text))
