"""What the catalogue says of the chosen model: what it is, its licence in words, its facts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.catalogue_values import CatalogueDetail, CatalogueModel
from app.gui.discover import phrases
from app.gui.look import Look
from app.gui.parts.basics import Badge, plain_label
from app.gui.parts.flow import FlowLayout
from app.gui.parts.holding import TextRows, breakable, heading

COMMERCIAL_TONES = {"yes": "good", "form": "warn", "no": "bad", "unknown": "warn"}


class About(QWidget):
    """`show_model` fills it; what only the detail knows is left out until it arrives."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._about = plain_label("", 14, shade=2, wrap=True)
        self._note = plain_label("", 13, shade=3, wrap=True)
        self._chips = QWidget()
        self._flow = FlowLayout(self._chips, 6)
        self._frames: list[tuple[QFrame, QLabel]] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for widget in (self._about, self._note, self._chips):
            column.addWidget(widget)

    def show_model(self, model: CatalogueModel, detail: CatalogueDetail | None) -> None:
        language = self._look.language
        about = phrases.of(detail.about, language) if detail is not None else ""
        note = phrases.of(detail.note, language) if detail is not None and detail.note is not None else ""
        for label, words in ((self._about, about), (self._note, note)):
            label.setText(breakable(words))
            label.setVisible(bool(words))
        self._show_abilities(phrases.abilities(model.abilities, language))

    def _show_abilities(self, names: list[str]) -> None:
        while len(self._frames) < len(names):
            frame, label = QFrame(), plain_label("", 12, 500, shade=2)
            frame.setObjectName("chip")
            row = QHBoxLayout(frame)
            row.setContentsMargins(9, 3, 9, 3)
            row.addWidget(label)
            self._flow.addWidget(frame)
            self._frames.append((frame, label))
        for place, (frame, label) in enumerate(self._frames):
            label.setText(names[place] if place < len(names) else "")
            frame.setVisible(place < len(names))
        self._chips.setAccessibleName(
            f"{phrases.say(self._look.language, 'panel.abilities')}: {', '.join(names)}" if names else ""
        )
        self._chips.setVisible(bool(names))


class LicenceCard(QFrame):
    """The licence: its name, whether it allows commercial use, and its terms in words."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("card")
        self._look = look
        self._heading = plain_label("", 12, 500, shade=3)
        self._name = plain_label("", 14, 600, wrap=True)
        self.badge = Badge()
        self._terms = plain_label("", 13, shade=2, wrap=True)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._heading, 1)
        top.addWidget(self.badge)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 12, 12)
        column.setSpacing(5)
        column.addLayout(top)
        column.addWidget(self._name)
        column.addWidget(self._terms)

    def show_model(self, model: CatalogueModel, detail: CatalogueDetail | None) -> None:
        language = self._look.language
        self._heading.setText(phrases.say(language, "panel.licence"))
        self._name.setText(breakable(phrases.of(model.licence, language)))
        commercial = model.commercial if model.commercial in COMMERCIAL_TONES else "unknown"
        words = phrases.say(language, f"commercial.{commercial}")
        self.badge.show_state(self._look, COMMERCIAL_TONES[commercial], words)
        terms = phrases.of(detail.licence_terms, language) if detail is not None else ""
        self._terms.setText(breakable(terms))
        self._terms.setVisible(bool(terms))


class Facts(QWidget):
    """Maker, family, parameters, context and architecture in rows."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._heading = heading(14)
        self._rows = TextRows()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._heading, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._rows)

    def show_model(self, model: CatalogueModel, detail: CatalogueDetail | None) -> None:
        self._heading.setText(self._say("panel.facts"))
        rows = [
            (self._say("panel.vendor"), phrases.of(model.vendor, self._look.language)),
            (self._say("panel.family"), phrases.of(detail.family, self._look.language) if detail else ""),
            (self._say("panel.parameters"), self._parameters(model)),
            (self._say("panel.context"), self._context(model)),
            (self._say("panel.architecture"), detail.architecture if detail else ""),
        ]
        self._rows.show_rows([(name, value, "") for name, value in rows if value])

    def _parameters(self, model: CatalogueModel) -> str:
        language = self._look.language
        total = phrases.parameter_count(model.total_parameters, language)
        if model.active_parameters is None:
            return total
        active = phrases.parameter_count(model.active_parameters, language)
        return self._say("panel.parameters_active", total=total, active=active)

    def _context(self, model: CatalogueModel) -> str:
        tokens = model.context_tokens
        return self._say("panel.context_tokens", count=f"{tokens:,}") if tokens else ""

    def _say(self, key: str, **fields: object) -> str:
        return phrases.say(self._look.language, key, **fields)
