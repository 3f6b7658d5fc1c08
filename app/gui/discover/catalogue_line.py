"""The quiet line at the foot: how old the catalogue is, and the way to a newer one."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QHBoxLayout, QWidget

from app import words
from app.catalogue_values import CatalogueUpdate
from app.client.events import CatalogueChanged
from app.client.http import ServiceClient
from app.gui.dialogs import Question
from app.gui.discover import phrases
from app.gui.discover.finding import Finding
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, push_button
from app.gui.session import Session
from app.gui.theme.fonts import ui_font

POLL_MILLISECONDS = 1_000


class CatalogueLine(QWidget):
    """Nothing is looked for on the network before the user has allowed it once."""

    def __init__(self, look: Look, session: Session, finding: Finding) -> None:
        super().__init__()
        self._look, self._session, self._finding = look, session, finding
        self.update_state: CatalogueUpdate | None = None
        self._trouble: Exception | None = None
        self.label = ElidedLabel("", 12, shade=3)
        self.button = push_button("words", 500)
        self.button.setFont(ui_font(12, 500))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.label, 1)
        row.addWidget(self.button)
        self._poll = QTimer(self, interval=POLL_MILLISECONDS, singleShot=True)
        self._poll.timeout.connect(self.refresh)
        self.button.clicked.connect(self._check)
        finding.changed.connect(self._show)
        look.changed.connect(self._show)
        session.link.happened.connect(self._on_happening)
        self._show()

    def refresh(self) -> None:
        """Ask how it stands."""
        if self._session.online:
            self._session.link.ask(lambda client: client.catalogue_update(), self._take, failed=lambda _: None)

    def ask_for_consent(self) -> Question:
        """The question before the first look at the network."""
        say = phrases.say
        language = self._look.language
        return Question(
            self._look,
            self,
            say(language, "update.consent_title"),
            say(language, "update.consent_text"),
            say(language, "update.consent_yes"),
        )

    def _check(self) -> None:
        allowed = self.update_state is not None and self.update_state.allowed
        if not allowed and self.ask_for_consent().exec() != QDialog.DialogCode.Accepted:
            return
        self.check(allow=not allowed)

    def check(self, *, allow: bool) -> None:
        """Look for a newer catalogue. allow: remember that the user wants that."""

        def work(client: ServiceClient) -> CatalogueUpdate:
            if allow:
                client.update_settings(catalogue_updates=True)
            return client.check_catalogue()

        self._trouble = None
        self._session.link.ask(work, self._take, self._fail)

    def _take(self, update: CatalogueUpdate) -> None:
        self.update_state, self._trouble = update, None
        if update.state == "checking":
            self._poll.start()
        self._show()

    def _fail(self, error: Exception) -> None:
        self._trouble = error
        self._show()

    def _on_happening(self, happening: object) -> None:
        if isinstance(happening, CatalogueChanged) and self.isVisible():
            self.refresh()

    def _show(self) -> None:
        language, update, found = self._look.language, self.update_state, self._finding.found
        date = found.date if found is not None else update.date if update is not None else ""
        parts = [phrases.say(language, "update.date", date=date)] if date else []
        checking = update is not None and update.state == "checking"
        if self._trouble is not None:
            reason = words.describe_error(self._trouble, language)
            parts.append(phrases.say(language, "update.failed", reason=reason))
        elif update is not None and update.state == "failed" and update.error is not None:
            reason = words.describe(update.error.code, update.error.fields, language)
            parts.append(phrases.say(language, "update.failed", reason=reason))
        elif update is not None and update.state in ("checking", "current", "updated"):
            parts.append(phrases.say(language, f"update.{update.state}"))
        elif found is not None and found.updated:
            parts.append(phrases.say(language, "update.newer"))
        self.label.show_text(" · ".join(parts))
        self.button.setText(phrases.say(language, "update.check"))
        self.button.setEnabled(not checking)
        self.button.setVisible(bool(date))
