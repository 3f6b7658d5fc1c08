"""GGUF files that are dropped on the page: imported where they lie, and what became of it in a line."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Signal

from app import words
from app.gui.discover import phrases
from app.gui.look import Look
from app.gui.parts.holding import Message
from app.gui.session import Session
from app.values import LocalModel


def gguf_files(mime: QMimeData) -> list[str]:
    """The paths of the GGUF files that are dragged."""
    paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
    return [path for path in paths if Path(path).suffix.lower() == ".gguf"]


class Dropping(Message):
    """Hidden while there is nothing to tell. `chat_wanted` carries the model that was imported."""

    chat_wanted = Signal(str)

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__(look)
        self._look, self._session = look, session
        self._imported = ""
        self.pressed.connect(self._on_pressed)

    def invite(self) -> None:
        """Files are over the page."""
        self._tell("good", "page.drop")

    def leave(self) -> None:
        """They are no longer, or what was told is old."""
        self.show_text("plain", "")

    def take(self, paths: list[str]) -> None:
        """They were dropped."""
        for path in paths:
            self._tell("plain", "page.importing", name=Path(path).name)
            self._import(path)

    def _import(self, path: str) -> None:
        self._session.link.ask(lambda client: client.import_model(path), self._done, self._failed)

    def _done(self, model: LocalModel) -> None:
        self._imported = model.id
        self._tell("good", "page.imported", name=model.name)
        if model.problem is not None:
            self.show_text("bad", words.describe(model.problem.code, model.problem.fields, self._look.language))
        else:
            self.button.setText(phrases.say(self._look.language, "card.chat"))
            self.button.show()

    def _failed(self, error: Exception) -> None:
        self.show_text("bad", words.describe_error(error, self._look.language))

    def _on_pressed(self) -> None:
        self.leave()
        self.chat_wanted.emit(self._imported)

    def _tell(self, tone: str, key: str, **fields: str) -> None:
        self.show_text(tone, phrases.say(self._look.language, key, **fields))
