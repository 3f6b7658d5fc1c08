"""The page "Hardware & plans": this computer at the left, the plan of a model at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app import words
from app.gui.link import Ended, Failed, Lost
from app.gui.look import Look
from app.gui.parts.basics import plain_label
from app.gui.parts.holding import Message
from app.gui.parts.machine import MachinePill, in_a_few_words
from app.gui.plans.calibration import CalibrationCard
from app.gui.plans.hardware_cards import HardwareCards
from app.gui.plans.hardware_watch import HardwareWatch
from app.gui.plans.models import ModelList
from app.gui.plans.panel import PlanPanel
from app.gui.plans.planning import Planning
from app.gui.plans.what_if import WhatIf
from app.gui.session import Session
from app.gui.theme.tokens import TITLE
from app.plan_values import HardwareIssue
from resources.wording import text

PANEL_WIDTH = 372
# Narrower than this there is room for one side only: the list, or the plan of what was chosen in it.
BOTH_WIDTH = 800


class PlansPage(QWidget):
    """Follows the session by itself, and asks the service only while it is to be seen.

    `chat_wanted` carries a model and the wish to load it with; `starter_wanted`: fetch a first model.
    """

    chat_wanted = Signal(str, object)
    starter_wanted = Signal()

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self._look, self._session = look, session
        self.watch, self.planning = HardwareWatch(session), Planning(session)
        self._title = plain_label("", TITLE, 700)
        self._text = plain_label("", 14, shade=2, wrap=True)
        self.pill = MachinePill(look)
        self.banner = Message(look)
        self.trouble = Message(look)
        self.cards = HardwareCards(look, self.watch)
        self._issues = QVBoxLayout()
        self._issues.setSpacing(8)
        self.calibration = CalibrationCard(look, self.watch)
        self.what_if = WhatIf(look, self.planning)
        self.models = ModelList(look, session, self.planning)
        self.panel = PlanPanel(look, self.planning)
        self._shows_panel = False
        self._shown_issues: tuple[HardwareIssue, ...] = ()
        self._left = self._arrange()
        self._connect()
        self._refresh()

    def _arrange(self) -> QScrollArea:
        title = QHBoxLayout()
        title.setSpacing(12)
        title.addWidget(self._title)
        title.addStretch(1)
        title.addWidget(self.pill, 0, Qt.AlignmentFlag.AlignVCenter)
        inside = QWidget()
        inside.setObjectName("page")
        inside.setMinimumWidth(1)  # never wider than its side, whatever a part is called
        column = QVBoxLayout(inside)
        column.setContentsMargins(26, 20, 26, 26)
        column.setSpacing(12)
        column.addLayout(title)
        column.addWidget(self._text)
        for widget in (self.banner, self.trouble, self.cards):
            column.addWidget(widget)
        column.addLayout(self._issues)
        column.addSpacing(8)
        for part in (self.models, self.what_if, self.calibration):
            column.addWidget(part)
        column.addStretch(1)
        left = QScrollArea()
        left.setWidgetResizable(True)
        left.setFrameShape(QFrame.Shape.NoFrame)
        left.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        left.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        left.setWidget(inside)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left, 1)
        row.addWidget(self.panel)
        return left

    def _connect(self) -> None:
        self.models.looked_at.connect(self._show_panel)
        self.models.starter_wanted.connect(self.starter_wanted)
        self.panel.this_computer_wanted.connect(self.what_if.leave)
        self.panel.back_wanted.connect(self._hide_panel)
        self.panel.start_wanted.connect(self._start)
        self.banner.pressed.connect(self.what_if.leave)
        self.trouble.pressed.connect(self._retry)
        self.watch.view_changed.connect(self._show_machine)
        self.watch.calibrated.connect(self._plan_anew)
        self.planning.changed.connect(self._show_machine)
        self.planning.previews_changed.connect(self._show_machine)
        self._session.link_changed.connect(self._on_link)
        self._look.changed.connect(self._refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.planning.seen = True
        self.watch.start()
        self._begin()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.planning.seen = False
        self.watch.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _begin(self) -> None:
        """What is free may have changed since the page was last seen."""
        if not self._session.online:
            return
        if not self.planning.target and self._session.model is not None:
            self.planning.look_at(self._session.model.id)
        else:
            self.planning.ask_again()
        self.models.ask()

    def _retry(self) -> None:
        if isinstance(self._session.state, Ended | Failed):
            self._session.link.retry()
        else:
            self.watch.refresh()

    def _on_link(self) -> None:
        self._show_trouble()
        if self.isVisible():
            self._begin()

    def _plan_anew(self) -> None:
        """Speeds are known better now."""
        self.planning.ask_again()
        self.planning.preview_again()

    def _start(self) -> None:
        model = self.planning.model
        if model is not None:
            wish = self.planning.wish
            self.chat_wanted.emit(model.id, wish)

    def _show_panel(self) -> None:
        self._shows_panel = True
        self._place()
        if not self._left.isVisible():
            self.panel.back.setFocus()

    def _hide_panel(self) -> None:
        self._shows_panel = False
        self._place()
        self.models.field.setFocus()

    def _place(self) -> None:
        both = self.width() >= BOTH_WIDTH
        self._left.setVisible(both or not self._shows_panel)
        self.panel.setVisible(both or self._shows_panel)
        self.panel.stand_alone(not both)
        if both:
            self.panel.setFixedWidth(PANEL_WIDTH)
        else:
            self.panel.setMinimumWidth(0)
            self.panel.setMaximumWidth(16_777_215)

    def _refresh(self) -> None:
        say = self._look.say
        self._title.setText(say("plans.title"))
        self._text.setText(say("plans.text"))
        self.setAccessibleName(say("plans.title"))
        self._shown_issues = ()
        self._show_machine()

    def _show_machine(self) -> None:
        say, view, planning = self._look.say, self.watch.view, self.planning
        imagined = planning.hypothetical
        known = planning.plans or next(
            (one for one in planning.previews.values() if not isinstance(one, Exception)), None
        )
        machine = " + ".join(known.machine) if known is not None and known.hypothetical else ""
        wished = " + ".join(part for part in (*planning.wish.gpus, planning.wish.ram) if part)
        if imagined:
            self.pill.show_machine(machine or wished, imagined=True)
        else:
            self.pill.show_machine(in_a_few_words(self._look, view), imagined=False)
        banner = say("plans.hypothetical", machine=machine or wished) if imagined else ""
        self.banner.show_text("warn", banner, say("what_if.back") if imagined else "")
        self._show_trouble()
        self._show_issues(view.issues if view is not None else ())

    def _show_trouble(self) -> None:
        """The service is away, or did not tell what this computer has."""
        say, state, trouble = self._look.say, self._session.state, self.watch.trouble
        if isinstance(state, Lost):
            self.trouble.show_text("warn", say("banner.lost"))
        elif isinstance(state, Ended):
            self.trouble.show_text("plain", say("banner.ended"), say("banner.start"))
        elif isinstance(state, Failed):
            self.trouble.show_text("bad", words.describe_error(state.error, self._look.language), say("banner.retry"))
        elif trouble is not None:
            self.trouble.show_text("bad", words.describe_error(trouble, self._look.language), say("banner.retry"))
        else:
            self.trouble.show_text("plain", "")

    def _show_issues(self, issues: tuple[HardwareIssue, ...]) -> None:
        """One message for each advice; what is as it should be and has none is left out."""
        if issues == self._shown_issues:
            return
        self._shown_issues = issues
        while (item := self._issues.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        seen: set[str] = set()
        for issue in issues:
            sentence = self._issue_words(issue)
            if sentence and sentence not in seen:
                seen.add(sentence)
                message = Message(self._look)
                self._issues.addWidget(message)
                message.show_text("plain" if issue.expected else "warn", sentence)

    def _issue_words(self, issue: HardwareIssue) -> str:
        if issue.advice:
            return text(f"probe.advice.{issue.advice}", self._look.language)
        if issue.expected:
            return ""
        return text("probe.fact.issue", self._look.language, part=issue.part, detail=issue.detail)
