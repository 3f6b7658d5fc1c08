"""What the buttons of a card do."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QWidget

from app import words
from app.gui.dialogs import Question
from app.gui.discover import phrases
from app.gui.discover.card import Part
from app.gui.discover.fetching import Fetching
from app.gui.discover.finding import Finding
from app.gui.discover.wanted import alternative
from app.gui.look import Look

LONGEST_NAME = 80


class Pressing(QObject):
    """`chat_wanted` carries a local model, `model_wanted` one of the catalogue that is to be looked at."""

    chat_wanted = Signal(str)
    model_wanted = Signal(str)

    def __init__(self, look: Look, parent: QWidget, finding: Finding, fetching: Fetching) -> None:
        super().__init__(parent)
        self._look, self._parent = look, parent
        self._finding, self._fetching = finding, fetching

    def press(self, model_id: str, part: Part) -> None:
        """A part of a model's card was pressed."""
        model = self._finding.model(model_id)
        if model is None:
            return
        match part:
            case Part.CHAT:
                self.chat_wanted.emit(model.local[0])
            case Part.DOWNLOAD:
                fit = self._finding.fits.get(model_id)
                if model.commercial == "yes" and fit is not None and fit.quantization:
                    self._fetching.add(model_id, fit.quantization)
                else:
                    self.model_wanted.emit(model_id)  # its licence is said before the download
            case Part.SEE:
                self.model_wanted.emit(model_id)
            case Part.ALTERNATIVE:
                self.model_wanted.emit(self._alternative(model_id))
            case Part.PAUSE:
                self._fetching.pause(model_id)
            case Part.RESUME:
                self._fetching.resume(model_id)
            case Part.CANCEL:
                self.cancel(model_id)

    def cancel(self, target: str) -> None:
        """Cancel a download; when something of it has arrived, after a question."""
        status = self._fetching.of(target)
        if status is None:
            return
        nothing_lost = status.received_bytes == 0 or status.state == "done"
        if nothing_lost or self.question(status.name or status.model, status.received_bytes).exec() == (
            QDialog.DialogCode.Accepted
        ):
            self._fetching.cancel(target)

    def question(self, name: str, received_bytes: int) -> Question:
        """Whether what has arrived shall be deleted."""
        language = self._look.language
        text = phrases.say(
            language, "download.cancel_text", name=name[:LONGEST_NAME], bytes=words.shown_bytes(received_bytes)
        )
        title, yes = phrases.say(language, "download.cancel_title"), phrases.say(language, "download.cancel")
        return Question(self._look, self._parent, title, text, yes)

    def _alternative(self, model_id: str) -> str:
        """The successor that the catalogue names, else what runs here and can do the same, else the model itself."""
        model, found = self._finding.model(model_id), self._finding.found
        if model is None or found is None:
            return model_id
        other = alternative(model, found.models, self._finding.fits)
        return model.successor or (other.id if other is not None else model_id)
