"""The scrolling transcript. Only messages near what is seen exist as widgets; the others are heights."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.gui.look import Look
from app.gui.parts.basics import dress_button, ghost_button
from app.gui.theme.tokens import COLUMN_WIDTH
from app.gui.transcript.messages import AssistantMessage, MessageView, UserMessage
from app.values import ChatMessage

GAP = 20
MARGIN = 24
# Streamed text is drawn at most ten times a second, and less often when drawing takes long.
DRAW_MILLISECONDS = 100
DRAW_SHARE = 5
AT_BOTTOM_PIXELS = 48
# Heights settle as widgets are made for estimates; this many rounds were never needed.
ROUNDS = 6


@dataclass(slots=True)
class _Item:
    message: ChatMessage
    height: int
    view: MessageView | None = None
    dirty: bool = True


class TranscriptView(QScrollArea):
    """Shows the messages of one chat. `wanted`: an action ("copy", "edit", …) on a message."""

    wanted = Signal(str, object)
    link_wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._items: list[_Item] = []
        self._waiting = ""
        self._model_names: dict[str, str] = {}
        self._following = True
        self._laying_out = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        # One tall opaque widget: scrolling it is a copy of pixels, moving the messages would paint them all anew.
        self._content = QWidget()
        self._content.setObjectName("page")
        self._content.setAutoFillBackground(True)
        self._content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWidget(self._content)
        self._down = ghost_button(look, "arrow-down", "chat.to_end", pixels=18, parent=self)
        self._down.setObjectName("card")
        self._down.clicked.connect(self.follow)
        self._down.hide()
        self._timer = QTimer(self, singleShot=True, interval=DRAW_MILLISECONDS)
        self._timer.timeout.connect(self._draw)
        self.verticalScrollBar().valueChanged.connect(self._on_scroll)
        look.changed.connect(self._rebuild)
        self._rebuild()

    @property
    def live_count(self) -> int:
        """How many messages exist as widgets."""
        return sum(item.view is not None for item in self._items)

    @property
    def message_ids(self) -> tuple[str, ...]:
        return tuple(item.message.id for item in self._items)

    def message_widget(self, message_id: str) -> MessageView | None:
        """The widget of a message, if it is near what is seen."""
        return next((item.view for item in self._items if item.message.id == message_id), None)

    def show_messages(self, messages: tuple[ChatMessage, ...], *, another_chat: bool = False) -> None:
        """Show these messages; those that are shown already are kept. Another chat is shown from its end."""
        kept = 0
        for item, message in zip(self._items, messages, strict=False):
            if another_chat or item.message.id != message.id:
                break
            if item.message is not message:
                item.message, item.dirty = message, True
            kept += 1
        grown = len(messages) > len(self._items)
        self._drop(kept)
        for last in self._items[-2:]:
            last.dirty = True
        self._items += [_Item(message, self._estimate(message)) for message in messages[kept:]]
        if another_chat or (grown and messages and messages[-1].state == "streaming"):
            self._following = True
        self._draw()

    def update_message(self, message: ChatMessage) -> None:
        """A shown message grew or changed; drawn soon."""
        for item in self._items:
            if item.message.id == message.id:
                item.message, item.dirty = message, True
                if message.state != "streaming":
                    self._draw()
                elif not self._timer.isActive():
                    self._timer.start()

    def show_waiting(self, text: str) -> None:
        """What an answer without a first word says meanwhile."""
        if text != self._waiting:
            self._waiting = text
            for item in self._items[-1:]:
                item.dirty = True
            if not self._timer.isActive():
                self._timer.start()

    def name_models(self, names: dict[str, str]) -> None:
        """The names to show for model ids; an id without one is shown itself."""
        if names != self._model_names:
            self._model_names = names
            for item in self._items:
                item.dirty = True
            self._lay_out()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._following = True
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()
        self._down.setGeometry(self.width() - 68, self.height() - 52, 36, 36)

    def _draw(self) -> None:
        begin = time.perf_counter()
        self._timer.stop()
        self._lay_out()
        took = (time.perf_counter() - begin) * 1000
        self._timer.setInterval(max(DRAW_MILLISECONDS, int(took * DRAW_SHARE)))

    def _rebuild(self) -> None:
        """Another language or theme: every widget anew, which is cheap because few exist."""
        dress_button(self._look, self._down, "arrow-down", "chat.to_end")
        self.setAccessibleName(self._look.say("chat.transcript"))
        for item in self._items:
            self._discard(item)
        self._lay_out()

    def _drop(self, first: int) -> None:
        for item in self._items[first:]:
            self._discard(item)
        del self._items[first:]

    def _discard(self, item: _Item) -> None:
        if item.view is not None:
            item.view.hide()
            item.view.deleteLater()
            item.view = None
        item.dirty = True

    def _on_scroll(self) -> None:
        if not self._laying_out:
            bar = self.verticalScrollBar()
            self._following = bar.value() >= bar.maximum() - AT_BOTTOM_PIXELS
            self._lay_out()

    def _lay_out(self) -> None:
        """Give every message near the viewport a widget and its place; what is seen stays where it is."""
        if self._laying_out:
            return
        self._laying_out = True
        try:
            for _ in range(ROUNDS):
                if not self._lay_out_once():
                    break
        finally:
            self._laying_out = False
        self._down.setVisible(not self._following and bool(self._items))
        self._down.raise_()

    def _lay_out_once(self) -> bool:
        """One round with the heights known so far; True when heights turned out different."""
        bar = self.verticalScrollBar()
        viewport_width, viewport_height = self.viewport().width(), self.viewport().height()
        width = max(200, min(COLUMN_WIDTH, viewport_width - 2 * MARGIN))
        self._resize_content()
        if self._following:
            bar.setValue(bar.maximum())
        top = bar.value()
        shift = 0
        changed = False
        for item, y in zip(self._items, self._tops(), strict=True):
            near = y + item.height > top - viewport_height // 2 and y < top + viewport_height * 3 // 2
            if not near:
                self._discard(item)
                continue
            height = self._fitted(item, width)
            if height != item.height:
                changed = True
                if y + item.height <= top:
                    shift += height - item.height
                item.height = height
        if changed:
            self._resize_content()
            if shift and not self._following:
                bar.setValue(bar.value() + shift)
        left = (viewport_width - width) // 2
        for item, y in zip(self._items, self._tops(), strict=True):
            if item.view is not None:
                item.view.setGeometry(QRect(left, y, width, item.height))
        return changed

    def _fitted(self, item: _Item, width: int) -> int:
        if item.view is None:
            kind = UserMessage if item.message.role == "user" else AssistantMessage
            item.view = kind(self._look, self._content)
            item.view.wanted.connect(lambda action: self.wanted.emit(action, item.message))
            item.view.link_wanted.connect(self.link_wanted)
            item.view.height_changed.connect(self._on_height_changed)
            item.dirty = True
        if item.dirty or item.view.width() != width:
            if item.dirty:
                is_last = item is self._items[-1]
                named = replace(item.message, model=self._model_names.get(item.message.model, item.message.model))
                item.view.show_message(named, is_last=is_last, waiting=self._waiting)
            item.dirty = False
            height = item.view.fit(width)
            item.view.show()
            return height
        return item.view.height()

    def _on_height_changed(self) -> None:
        """The user opened or closed a part of a message: stay there, also at the end of the chat."""
        view = self.sender()
        self._following = self._following and any(item.message.state == "streaming" for item in self._items)
        for item in self._items:
            if item.view is view:
                item.dirty = True
        self._lay_out()

    def _resize_content(self) -> None:
        total = GAP + sum(item.height + GAP for item in self._items)
        self._content.resize(self.viewport().width(), max(total, self.viewport().height()))

    def _tops(self) -> list[int]:
        tops = [GAP]
        for item in self._items:
            tops.append(tops[-1] + item.height + GAP)
        return tops[:-1]

    def _estimate(self, message: ChatMessage) -> int:
        """A height before the message was ever laid out: some 45 characters a line, 26 pixels each."""
        lines = sum(1 + len(line) // 45 for line in message.text[:20_000].split("\n"))
        return 70 + 26 * lines
