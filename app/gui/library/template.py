"""What the template doctor says of a model, and which chat format it is used with."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app import words
from app.gui import icons
from app.gui.library.watch import LibraryWatch
from app.gui.look import Look
from app.gui.parts.basics import Badge, menu_under, plain_label, push_button
from app.gui.parts.holding import Message, breakable, clear_layout
from app.gui.session import Session
from app.values import Language, LocalModel, TemplateFinding, TemplateReport
from resources.wording import MissingText, text

_TONES = {"fine": "good", "note": "good", "warning": "warn", "broken": "bad"}
_MESSAGE_TONES = {"warning": "warn", "broken": "bad"}
LONGEST_FINDING = 400
# Who only passes by, with the arrow keys, does not make the doctor work.
LOOKED_AT_MILLISECONDS = 500


class TemplateView(QWidget):
    """Follows the watch by itself; `show_model` says whose template is looked at."""

    def __init__(self, look: Look, session: Session, watch: LibraryWatch) -> None:
        super().__init__()
        self._look, self._session, self._watch = look, session, watch
        self._model: LocalModel | None = None
        self._shown: object = None
        self._looked_at = QTimer(self, singleShot=True, interval=LOOKED_AT_MILLISECONDS)
        self._looked_at.timeout.connect(self._examine)
        self._waiting = plain_label("", 13, shade=3, wrap=True)
        self.badge = Badge()
        self._abilities = plain_label("", 12, shade=2, wrap=True)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(6)
        self.offer = Message(look)
        self._uses = plain_label("", 13, shade=2)
        self.profile = push_button("chip")
        self.reload = Message(look)
        choice = QHBoxLayout()
        choice.setSpacing(8)
        choice.addWidget(self._uses)
        choice.addStretch(1)
        choice.addWidget(self.profile)
        summary = QHBoxLayout()
        summary.addWidget(self.badge)
        summary.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._waiting)
        column.addLayout(summary)
        column.addWidget(self._abilities)
        column.addLayout(self._findings)
        column.addWidget(self.offer)
        column.addLayout(choice)
        column.addWidget(self.reload)
        self.offer.pressed.connect(self._accept)
        self.reload.pressed.connect(self._reload)
        self.profile.clicked.connect(
            lambda: self.profile_menu().popup(self.profile.mapToGlobal(QPoint(0, self.profile.height() + 4)))
        )
        watch.reports_changed.connect(self.refresh)
        session.settings_changed.connect(self.refresh)
        session.engines_changed.connect(self.refresh)

    def show_model(self, model: LocalModel) -> None:
        """Asks the doctor if nobody has yet."""
        self._model = model
        self._looked_at.start()
        self.refresh()

    @property
    def used(self) -> str:
        """The built-in profile that the model is to be used with, "" for the file's own template."""
        profiles = self._session.settings.get("chat_profiles") or {}
        return str(profiles.get(self._model.id, "")) if self._model else ""

    def profile_menu(self) -> QMenu:
        """The file's own template, and all built-in chat profiles."""
        menu, model = menu_under(self), self._model
        for profile in ("", *self._watch.profiles):
            name = self._name_of(profile)
            action = menu.addAction(name.replace("&", "&&"))
            if profile == self.used:
                action.setIcon(icons.icon("check", self._look.theme.accent, 15))
            if model is not None:
                action.triggered.connect(
                    lambda _=False, profile=profile, model=model: self._watch.use_profile(model.id, profile)
                )
        return menu

    def refresh(self) -> None:
        """Everything again, if it is another report or another profile."""
        model = self._model
        if model is None:
            return
        report = self._watch.reports.get(model.id)
        engine = self._session.engines.get(model.id)
        loaded = engine.chat_profile or "" if engine is not None and engine.state == "ready" else None
        key = (model.id, report, self.used, loaded, self._look.language, self._look.theme.name)
        if key == self._shown:
            return
        self._shown = key
        self._uses.setText(self._say("uses"))
        self.profile.setText(self._name_of(self.used))
        self.profile.setAccessibleName(f"{self._uses.text()} {self.profile.text()}")
        self._show_report(report)
        stale = loaded is not None and loaded != self.used
        self.reload.show_text("plain", self._say("reload") if stale else "", self._say("reload_now") if stale else "")

    def _show_report(self, report: TemplateReport | Exception | None) -> None:
        clear_layout(self._findings)
        known = isinstance(report, TemplateReport)
        self.badge.setVisible(known)
        self._abilities.setVisible(False)
        self.offer.show_text("plain", "")
        self._waiting.setVisible(not known)
        if not isinstance(report, TemplateReport):
            failed = words.describe_error(report, self._look.language) if report is not None else ""
            self._waiting.setText(failed or self._say("examining"))
            return
        severity = report.severity if report.severity in _TONES else "warning"
        named = text(f"doctor.severity.{'fine' if severity == 'note' else severity}", self._look.language)
        self.badge.show_state(self._look, _TONES[severity], named[:1].upper() + named[1:])
        self._show_findings(report)
        offered = report.chat_profile
        if offered and offered != self.used:
            self.offer.show_text("good", self._say("offered", profile=offered), self._say("accept", profile=offered))

    def _show_findings(self, report: TemplateReport) -> None:
        language = self._look.language
        told = [one for one in report.findings if one.severity in _MESSAGE_TONES]
        for finding in told:
            message = Message(self._look)
            self._findings.addWidget(message)
            message.show_text(_MESSAGE_TONES[finding.severity], finding_words(finding, language))
        notes = [finding_words(one, language) for one in report.findings if one.severity not in _MESSAGE_TONES]
        if not told and not notes:
            notes = [self._say("all_fine")]
        self._abilities.setText("\n".join(breakable(note) for note in notes))
        self._abilities.setVisible(bool(notes))

    def _examine(self) -> None:
        if self._model is not None and self.isVisible():
            self._watch.examine(self._model)

    def _accept(self) -> None:
        report = self._watch.reports.get(self._model.id) if self._model else None
        if self._model is not None and isinstance(report, TemplateReport) and report.chat_profile:
            self._watch.use_profile(self._model.id, report.chat_profile)

    def _reload(self) -> None:
        if self._model is not None:
            self._watch.reload(self._model.id)

    def _name_of(self, profile: str) -> str:
        return self._say("built_in", profile=profile) if profile else self._say("own")

    def _say(self, key: str, **fields: Any) -> str:
        return text(f"shelf.template.{key}", self._look.language, **fields)


def finding_words(finding: TemplateFinding, language: Language) -> str:
    """One finding as a sentence. Never raises: a newer service may find what this window has no words for."""
    fields = {name: words.shown(name, value, language) for name, value in finding.fields.items()}
    try:
        sentence = text(f"doctor.finding.{finding.key}", language, **fields)
    except (MissingText, KeyError, IndexError):
        sentence = " ".join((finding.key, *fields.values()))
    return sentence[:LONGEST_FINDING]
