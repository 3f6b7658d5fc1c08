"""Long work on model files: how far it is, how it ended, and a way to end it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.gui.library.watch import LibraryWatch
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.parts.holding import Message
from app.values import Language, LibraryWork, LocalModel
from app.words import describe, shown_bytes
from resources.wording import text

_STEPS = 1_000
_MOST_NAMED = 5


class WorkView(QWidget):
    """Hidden while there is nothing to tell. What has ended is shown until the user has read it."""

    def __init__(self, look: Look, watch: LibraryWatch) -> None:
        super().__init__()
        self._look, self._watch = look, watch
        self._key = ""
        self._card = QFrame()
        self._card.setObjectName("card")
        self._words = plain_label("", 12, shade=2, wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, _STEPS)
        self.cancel = push_button("words", 500)
        self.ended = Message(look)
        low = QHBoxLayout()
        low.setSpacing(8)
        low.addWidget(self._words, 1)
        low.addWidget(self.cancel)
        inner = QVBoxLayout(self._card)
        inner.setContentsMargins(14, 10, 10, 10)
        inner.setSpacing(6)
        inner.addLayout(low)
        inner.addWidget(self.bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._card)
        column.addWidget(self.ended)
        self.cancel.clicked.connect(lambda: watch.cancel(self._key))
        self.ended.pressed.connect(lambda: watch.forget(self._key))
        self.hide()

    def show_work(self, work: LibraryWork | None, model: LocalModel | None = None) -> None:
        """model: the one that is worked on."""
        self.setVisible(work is not None)
        if work is None:
            return
        language, self._key = self._look.language, work.key
        running = work.state == "running"
        self._card.setVisible(running)
        if running:
            self.bar.setValue(round(_STEPS * work.done_bytes / work.total_bytes) if work.total_bytes else 0)
            self._words.setText(running_words(work, language))
            self.bar.setAccessibleName(self._words.text())
            self.cancel.setText(text("shelf.action.cancel", language))
            self.cancel.setAccessibleName(f"{self.cancel.text()} {self._words.text()}")
            self.ended.show_text("plain", "")
            return
        tone, sentence = ended_words(work, model, language)
        self.ended.show_text(tone, sentence, text("shelf.page.close", language))


def running_words(work: LibraryWork, language: Language) -> str:
    """ "正在校验：211 MB / 491 MB" """
    kind = text(f"shelf.work.{work.kind}", language)
    if not work.total_bytes:
        return kind
    done, total = shown_bytes(work.done_bytes), shown_bytes(work.total_bytes)
    return text("shelf.work.progress", language, work=kind, done=done, total=total)


def ended_words(work: LibraryWork, model: LocalModel | None, language: Language) -> tuple[str, str]:
    """Tone and sentence of work that has ended."""
    if work.error is not None:
        return "bad", describe(work.error.code, work.error.fields, language)
    if work.state == "cancelled":
        return "plain", text("shelf.work.cancelled", language)
    if work.kind == "verify":
        name = model.name if model is not None else work.model
        return "good", text(f"library.verify.{work.verdict}", language, model=name)
    if work.kind == "copy":
        return "good", text("shelf.work.copied", language, model=work.model)
    if work.kind == "compare":
        return "good", text("shelf.work.compared", language)
    moved = text("shelf.work.moved", language)
    if not work.left:
        return "good", moved
    named = ("、" if language == "zh" else ", ").join(work.left[:_MOST_NAMED])
    named += "……" if len(work.left) > _MOST_NAMED else ""
    return "warn", f"{moved}\n{text('shelf.work.left', language, count=len(work.left), files=named)}"
