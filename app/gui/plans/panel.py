"""The plan panel: whether the model fits, where its memory goes, the numbers to turn, and the way into the chat."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app import plan_words, words
from app.gui import icons
from app.gui.look import Look
from app.gui.parts.basics import Badge, ElidedLabel, dress_button, ghost_button, plain_label, push_button
from app.gui.parts.holding import Message, Section, TextRows, heading
from app.gui.plans.bars import LEAST_SHOWN_BYTES, DevicePicture, in_order
from app.gui.plans.controls import Controls
from app.gui.plans.lists import APPLICABLE, AdviceList, QuantizationList, show_verdict
from app.gui.plans.planning import Planning
from app.plan_values import PlanAdvice, PlanSpeed, PlanView

MARGIN = 20
# Of the style sheet; the panel is nearly always long enough to need one.
SCROLL_BAR_WIDTH = 10


class PlanPanel(QFrame):
    """Follows the planning by itself. `back_wanted`: to the list; `start_wanted`: chat with this plan;
    `this_computer_wanted`: no imagined one any more."""

    back_wanted = Signal()
    start_wanted = Signal()
    this_computer_wanted = Signal()

    def __init__(self, look: Look, planning: Planning) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._look, self._planning = look, planning
        self.back = ghost_button(look, "chevron-left", "plans.back")
        self._title = ElidedLabel("", 18, 700)
        self.badge = Badge()
        self._sentence = plain_label("", 14, shade=2, wrap=True)
        self._basis = plain_label("", 12, shade=3, wrap=True)
        self.imagined = Message(look)
        self.trouble = Message(look)
        self._nothing = plain_label("", 14, shade=3, wrap=True)
        self._pictures: list[DevicePicture] = []
        self._picture_card = QFrame()
        self._picture_card.setObjectName("card")
        self._running = plain_label("", 12, shade=3, wrap=True)
        self._speed = TextRows()
        self._bill_rows = TextRows()
        self.bill = Section(look, self._bill_rows)
        self.controls = Controls(look, planning)
        self._quantization_heading = heading(14)
        self._none_runs = plain_label("", 12, shade=3, wrap=True)
        self.quantizations = QuantizationList(look)
        self._advice_heading = heading(14)
        self.advice = AdviceList(look)
        self._number_rows = TextRows(8)
        self.numbers = Section(look, self._number_rows)
        self.start = push_button("primary", 600)
        self._hint = plain_label("", 12, shade=3, wrap=True)
        self._body = QWidget()
        self._announced = ""
        self._alone = False
        self._arrange()
        self._connect()
        self._show()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.back)
        top.addWidget(self._title, 1)
        top.addWidget(self.badge)
        self._picture_column = QVBoxLayout(self._picture_card)
        self._picture_column.setContentsMargins(14, 12, 14, 12)
        self._picture_column.setSpacing(14)
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(12)
        for part in (self._sentence, self._picture_card, self._running, self._speed, self._basis):
            body.addWidget(part)
        body.addWidget(self.bill)
        body.addWidget(self.controls)
        for title, content in (
            (self._advice_heading, self.advice),
            (self._quantization_heading, self.quantizations),
        ):
            body.addSpacing(4)
            body.addWidget(title)
            if content is self.quantizations:
                body.addWidget(self._none_runs)
            body.addWidget(content)
        body.addWidget(self.numbers)
        inside = QWidget()
        inside.setMinimumWidth(1)  # never wider than the panel, whatever a model is called
        column = QVBoxLayout(inside)
        column.setContentsMargins(MARGIN, 18, MARGIN - SCROLL_BAR_WIDTH, 18)
        column.setSpacing(12)
        column.addLayout(top)
        for widget in (self.imagined, self.trouble, self._nothing, self._body):
            column.addWidget(widget)
        column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self._scroll.setWidget(inside)
        foot = QFrame()
        foot.setObjectName("foot")
        low = QVBoxLayout(foot)
        low.setContentsMargins(MARGIN, 12, MARGIN, 14)
        low.setSpacing(6)
        low.addWidget(self._hint)
        self.start.setMinimumHeight(42)
        low.addWidget(self.start)
        self._foot = foot
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)  # the line at the left
        whole.setSpacing(0)
        whole.addWidget(self._scroll, 1)
        whole.addWidget(foot)

    def _connect(self) -> None:
        self.back.clicked.connect(self.back_wanted)
        self.imagined.pressed.connect(self.this_computer_wanted)
        self.start.clicked.connect(self.start_wanted)
        self.quantizations.chosen.connect(self._planning.choose)
        self.advice.wanted.connect(self._follow)
        self.trouble.pressed.connect(self._planning.ask_again)
        self.bill.opened.connect(self._show)
        self.numbers.opened.connect(self._show)
        self._planning.changed.connect(self._show)
        self._planning.engine_changed.connect(self._show_running)
        self._look.changed.connect(self._show)

    def stand_alone(self, alone: bool) -> None:
        """alone: the list and its banner are not beside it."""
        self.back.setVisible(alone)
        self._alone = alone
        self._show_imagined()

    # Planning → panel

    def _show_imagined(self) -> None:
        imagined, say = self._alone and self._planning.hypothetical, self._look.say
        self.imagined.show_text(
            "warn", say("plans.imagined") if imagined else "", say("what_if.back") if imagined else ""
        )

    def _show(self) -> None:
        say, planning = self._look.say, self._planning
        dress_button(self._look, self.back, "chevron-left", "plans.back")
        quantization, plan = planning.quantization, planning.plan
        self._title.show_text(plan.model if plan else planning.model.name if planning.model else planning.target)
        self.badge.setVisible(plan is not None)
        self._body.setVisible(quantization is not None)
        self._foot.setVisible(plan is not None)
        self._nothing.setVisible(planning.waiting or not planning.target)
        self._nothing.setText(say("plans.waiting" if planning.target else "plans.nothing"))
        self._show_imagined()
        trouble = planning.trouble
        error = words.describe_error(trouble, self._look.language) if trouble is not None else ""
        self.trouble.show_text("bad", error, say("plans.retry") if error else "")
        if planning.plans is not None:
            self._show_quantizations()
        if plan is not None:
            self._show_plan(plan)
        else:
            self._show_refusal()

    def _show_quantizations(self) -> None:
        plans = self._planning.plans
        assert plans is not None
        self._quantization_heading.setText(self._look.say("plans.quantizations"))
        none_runs = plans.best is None and len(plans.quantizations) > 1
        self._none_runs.setText(self._look.say("plans.none_runs"))
        self._none_runs.setVisible(none_runs)
        self.quantizations.show_quantizations(plans.quantizations, self._planning.quantization, plans.best)
        self.quantizations.setAccessibleName(self._quantization_heading.text())

    def _show_refusal(self) -> None:
        """No plan for what is looked at: only the list of quantizations says why."""
        for widget in self._plan_widgets():
            widget.setVisible(False)

    def _plan_widgets(self) -> tuple[QWidget, ...]:
        return (
            self._sentence,
            self._picture_card,
            self._running,
            self._basis,
            self.bill,
            self._speed,
            self.controls,
            self._advice_heading,
            self.advice,
            self.numbers,
        )

    def _show_plan(self, plan: PlanView) -> None:
        say, language = self._look.say, self._look.language
        for widget in self._plan_widgets():
            widget.setVisible(True)
        show_verdict(self.badge, self._look, plan)
        self._sentence.setText(plan_words.verdict(plan, language))
        self._basis.setText(plan_words.basis(plan, language))
        self._show_pictures(plan)
        self._show_running()
        self._speed.show_rows(self._speed_rows(plan.speed))
        self.bill.name(say("plans.bill"))
        self.numbers.name(say("plans.numbers"))
        if self.bill.is_open:
            self._bill_rows.show_rows(self._bill_lines(plan))
        if self.numbers.is_open:
            self._number_rows.show_rows(self._number_lines(plan))
        self.controls.show_plan(plan)
        plans = self._planning.plans
        names = frozenset(one.name for one in plans.quantizations if one.plan is not None) if plans else frozenset()
        self._advice_heading.setText(say("plans.advice"))
        self._advice_heading.setVisible(bool(plan.advice))
        self.advice.show_advice(plan.advice, names - {plan.quantization}, old=self._planning.advice_is_old)
        self._show_start(plan)
        self._announce(plan_words.verdict(plan, language))

    def _announce(self, verdict: str) -> None:
        """Tell a screen reader when the verdict becomes another one; the slider alone does not say it."""
        if verdict != self._announced and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.badge, verdict))
        self._announced = verdict

    def _show_pictures(self, plan: PlanView) -> None:
        while len(self._pictures) < len(plan.devices):
            self._pictures.append(DevicePicture(self._look))
            self._picture_column.addWidget(self._pictures[-1])
        ordered = in_order(plan.devices)
        for place, picture in enumerate(self._pictures):
            if place < len(ordered):
                picture.show_device(ordered[place])
            picture.setVisible(place < len(ordered))

    def _show_running(self) -> None:
        """What the loaded model was planned to take of main memory, and what it really takes."""
        engine, plan = self._planning.engine, self._planning.plan
        known = engine is not None and engine.private_bytes > 0 and engine.planned_bytes > 0
        # Measured device by device, it stands in the pictures.
        shown = known and plan is not None and all(device.measured_bytes is None for device in plan.devices)
        if engine is not None and shown:
            planned, measured = words.shown_bytes(engine.planned_bytes), words.shown_bytes(engine.private_bytes)
            self._running.setText(self._look.say("plans.running", planned=planned, measured=measured))
        self._running.setVisible(shown and not self._planning.hypothetical)

    def _speed_rows(self, speed: PlanSpeed) -> list[tuple[str, str, str]]:
        say, language = self._look.say, self._look.language
        origin = say(
            "plans.speed_note", origin=plan_words.speed_origin(speed, language), depth=f"{speed.depth_tokens:,}"
        )
        return [
            (say("plans.decode"), plan_words.rate(speed.decode, language), ""),
            (say("plans.prefill"), plan_words.rate(speed.prefill, language), origin),
        ]

    def _bill_lines(self, plan: PlanView) -> list[tuple[str, str, str]]:
        """Device by device, the largest first, and what is not the model's after that."""
        rows = []
        for device in in_order(plan.devices):
            if len(plan.devices) > 1:
                rows.append((device.description or device.name, words.shown_bytes(device.total_bytes), ""))
            lines = [line for line in plan.bill if line.device == device.name and line.bytes >= LEAST_SHOWN_BYTES]
            indent = "\u2003" if len(plan.devices) > 1 else ""
            for line in sorted(lines, key=lambda line: (line.kind in ("others", "reserve"), -line.bytes)):
                name = plan_words.bill_name(line.kind, self._look.language)
                rows.append((indent + name, words.shown_bytes(line.bytes), ""))
        return rows

    def _number_lines(self, plan: PlanView) -> list[tuple[str, str, str]]:
        language = self._look.language
        return [
            (
                plan_words.field_name(reason.field, language),
                plan_words.field_value(reason, language),
                plan_words.reason(reason, language),
            )
            for reason in plan.reasons
        ]

    def _show_start(self, plan: PlanView) -> None:
        """The button, and in a line why it cannot be pressed."""
        planning, say = self._planning, self._look.say
        hint = ""
        if planning.hypothetical:
            hint = say("plans.start_hypothetical")
        elif planning.model is None:
            hint = say("plans.start_absent")
        elif plan.verdict == "does_not_fit":
            hint = say("plans.start_too_large")
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.start.setEnabled(not hint)
        theme = self._look.theme
        self.start.setIcon(icons.icon("message-square", theme.text_third if hint else theme.on_accent, 17))
        self.start.setText(" " + say("plans.start"))
        self.start.setAccessibleName(say("plans.start"))

    # Panel → planning

    def _follow(self, advice: PlanAdvice) -> None:
        """What was clicked in the list of advice."""
        if advice.kind in APPLICABLE:
            name, field = APPLICABLE[advice.kind]
            self._planning.fix(**{name: advice.fields[field]})
        else:
            self._planning.choose(str(advice.fields["quantization"]))
