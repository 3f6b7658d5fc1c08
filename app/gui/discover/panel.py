"""The side panel: all about the chosen model, every quantization with its verdict, and the way to have it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app import plan_words, words
from app.catalogue_values import CatalogueModel
from app.gui import icons
from app.gui.discover import phrases
from app.gui.discover.about import About, Facts, LicenceCard
from app.gui.discover.choosing import Choosing
from app.gui.discover.fetching import Fetching
from app.gui.discover.finding import Finding
from app.gui.discover.foot import Foot
from app.gui.discover.source_rows import SourceRows
from app.gui.discover.wanted import alternative
from app.gui.look import Look
from app.gui.parts.basics import Badge, plain_label, push_button
from app.gui.parts.holding import Message, breakable, heading
from app.gui.parts.icon_button import IconButton
from app.gui.plans.bars import DevicePicture, in_order
from app.gui.plans.lists import QuantizationList, show_verdict
from app.gui.session import Session
from app.plan_values import PlanDevice

MARGIN = 20
# Of the style sheet.
SCROLL_BAR_WIDTH = 10


class DetailPanel(QFrame):
    """Follows what is chosen by itself. `back_wanted`: to the list; `plan_wanted` carries the target; `model_wanted`:
    look at this model of the catalogue instead; `open_wanted`: a page in the browser, after a question."""

    back_wanted = Signal()
    plan_wanted = Signal(str)
    model_wanted = Signal(str)
    open_wanted = Signal(str)

    def __init__(self, look: Look, session: Session, finding: Finding, choosing: Choosing, fetching: Fetching) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._look, self._finding, self._choosing = look, finding, choosing
        self._alone = False
        self._other = ""
        self.back = IconButton(look)
        self._title = plain_label("", 18, 700, wrap=True)
        self.badge = Badge()
        self._names = plain_label("", 13, shade=3, wrap=True)
        self.state = Message(look)
        self.trouble = Message(look)
        self.better = Message(look)
        self.about = About(look)
        self._quantization_heading = heading(14)
        self.plan = push_button("words", 500)
        self._quantization_text = plain_label("", 12, shade=3, wrap=True)
        self._reading = plain_label("", 13, shade=3, wrap=True)
        self.plans_trouble = Message(look)
        self.old_listing = Message(look)
        self._none_runs = plain_label("", 12, shade=3, wrap=True)
        self.quantizations = QuantizationList(look)
        self._pictures: list[DevicePicture] = []
        self._picture_card = QFrame()
        self._picture_card.setObjectName("card")
        self._picture_column = QVBoxLayout(self._picture_card)
        self.licence = LicenceCard(look)
        self.facts = Facts(look)
        self.sources = SourceRows(look)
        self.foot = Foot(look, session, choosing, fetching)
        self._scroll = self._arrange()
        self._connect()
        self._show()

    def _arrange(self) -> QScrollArea:
        self._top = QHBoxLayout()
        self._top.setSpacing(8)
        self._top.addWidget(self._title, 1)
        self._top.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget()
        inside.setMinimumWidth(1)  # never wider than the panel, whatever a model is called
        column = QVBoxLayout(inside)
        column.setContentsMargins(MARGIN, 18, MARGIN, 18)
        column.setSpacing(12)
        column.addLayout(self._top)
        column.addWidget(self._names)
        column.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignLeft)
        for part in (self.state, self.trouble, self.better, self.about):
            column.addWidget(part)
        head = QHBoxLayout()
        head.addWidget(self._quantization_heading, 1)
        head.addWidget(self.plan)
        column.addSpacing(4)
        column.addLayout(head)
        versions: tuple[QWidget, ...] = (
            self._quantization_text,
            self._reading,
            self.plans_trouble,
            self.old_listing,
            self._none_runs,
            self.quantizations,
        )
        for widget in versions:
            column.addWidget(widget)
        self._picture_column.setContentsMargins(14, 12, 14, 12)
        self._picture_column.setSpacing(14)
        column.addWidget(self._picture_card)
        rest: tuple[QWidget, ...] = (self.licence, self.facts, self.sources)
        for widget in rest:
            column.addSpacing(4)
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        scroll.setWidget(inside)
        # The scroll bar lies in the margin, not beside it.
        scroll.verticalScrollBar().rangeChanged.connect(
            lambda _, last: column.setContentsMargins(MARGIN, 18, MARGIN - (SCROLL_BAR_WIDTH if last else 0), 18)
        )
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)  # the line at the left
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(self.foot)
        return scroll

    def _connect(self) -> None:
        self.back.clicked.connect(self.back_wanted)
        self.plan.clicked.connect(lambda: self.plan_wanted.emit(self._choosing.target))
        self.quantizations.chosen.connect(self._choosing.choose)
        self.trouble.pressed.connect(self._choosing.retry)
        self.plans_trouble.pressed.connect(self._choosing.retry)
        self.state.pressed.connect(self._want_successor)
        self.better.pressed.connect(lambda: self.model_wanted.emit(self._other))
        self.sources.open_wanted.connect(self.open_wanted)
        self._choosing.changed.connect(self._show)
        self._finding.fits_changed.connect(lambda _: self._show_better())
        self._look.changed.connect(self._show)

    def stand_alone(self, alone: bool) -> None:
        """alone: the list is not beside it."""
        if alone != self._alone:
            self._alone = alone
            self._top.removeWidget(self.back)
            self._top.insertWidget(0 if alone else 1, self.back, 0, Qt.AlignmentFlag.AlignTop)
            self._show()

    def to_top(self) -> None:
        """Another model is read from its beginning."""
        self._scroll.verticalScrollBar().setValue(0)

    # What is to be seen

    def _show(self) -> None:
        choosing, model = self._choosing, self._choosing.model
        self.setAccessibleName(self._say("panel.name"))
        key = "panel.back" if self._alone else "panel.close"
        self.back.dress("chevron-left" if self._alone else "x", self._say(key))
        self._title.setText(breakable(self._name()))
        self._names.setText(breakable(self._other_names()))
        self._names.setVisible(bool(self._names.text()))
        self._show_state(model)
        language = self._look.language
        trouble = words.describe_error(choosing.trouble, language) if choosing.trouble is not None else ""
        self.trouble.show_text("bad", trouble, self._say("page.retry") if trouble else "")
        for part in (self.about, self.licence, self.facts):
            part.setVisible(model is not None)
            if model is not None:
                part.show_model(model, choosing.detail)
        self.sources.show_detail(choosing.detail)
        self._show_plans()
        self._show_better()

    def _name(self) -> str:
        model = self._choosing.model
        return phrases.of(model.name, self._look.language) if model is not None else self._choosing.target

    def _other_names(self) -> str:
        model = self._choosing.model
        if model is None:
            return self._say("panel.repository") if self._choosing.target else ""
        other = model.name.en if self._look.language == "zh" else model.name.zh
        return " · ".join(
            part
            for part in (other if other != self._name() else "", phrases.of(model.vendor, self._look.language))
            if part
        )

    def _show_state(self, model: CatalogueModel | None) -> None:
        """Why it cannot be had, or that nobody has confirmed it."""
        if model is not None and model.state != "ready":
            reason = phrases.of(model.reason, self._look.language) if model.reason is not None else ""
            successor = self._finding.model(model.successor) if model.successor else None
            name = phrases.of(successor.name, self._look.language) if successor else model.successor or ""
            button = self._say("panel.successor", name=name) if name else ""
            self.state.show_text("warn", reason or self._say(f"card.{model.state}"), button)
        elif model is not None and not model.confirmed:
            self.state.show_text("warn", self._say("page.hidden_tip"))
        else:
            self.state.show_text("plain", "")

    def _show_plans(self) -> None:
        choosing, language = self._choosing, self._look.language
        plans, quantization = choosing.plans, choosing.quantization
        several = plans is not None and len(plans.quantizations) > 1
        plan = quantization.plan if quantization is not None else None
        self.badge.setVisible(plan is not None)
        if plan is not None:
            show_verdict(self.badge, self._look, plan)
        self._show_pictures(plan.devices if plan is not None else ())
        shown = choosing.reading or plans is not None or choosing.plans_trouble is not None
        self._quantization_heading.setText(self._say("panel.quantizations"))
        self._quantization_heading.setVisible(shown)
        self._quantization_text.setText(self._say("panel.quantizations_text"))
        self._quantization_text.setVisible(several)
        self._reading.setText(self._say("panel.reading"))
        self._reading.setVisible(choosing.reading)
        trouble = choosing.plans_trouble
        error = words.describe_error(trouble, language) if trouble is not None else ""
        self.plans_trouble.show_text("bad", error, self._say("page.retry") if error else "")
        age = plans.listing_age_seconds if plans is not None else None
        self.old_listing.show_text("warn", plan_words.listing_age(age, language) if age is not None else "")
        self._none_runs.setText(self._say("panel.none_runs"))
        self._none_runs.setVisible(several and plans is not None and plans.best is None)
        self.quantizations.setVisible(plans is not None)
        self.quantizations.setAccessibleName(self._quantization_heading.text())
        if plans is not None:
            self.quantizations.show_quantizations(plans.quantizations, quantization, plans.best)
        self.plan.setText(" " + self._say("panel.plan"))
        self.plan.setAccessibleName(self._say("panel.plan"))
        self.plan.setToolTip(self._say("panel.plan_tip"))
        self.plan.setIcon(icons.icon("gauge", self._look.theme.accent, 15))
        self.plan.setVisible(plans is not None)

    def _show_pictures(self, devices: tuple[PlanDevice, ...]) -> None:
        """Where the memory of the chosen quantization lies."""
        ordered = in_order(devices)
        while len(self._pictures) < len(ordered):
            self._pictures.append(DevicePicture(self._look))
            self._picture_column.addWidget(self._pictures[-1])
        for place, picture in enumerate(self._pictures):
            if place < len(ordered):
                picture.show_device(ordered[place])
            picture.setVisible(place < len(ordered))
        self._picture_card.setVisible(bool(ordered))

    def _show_better(self) -> None:
        """Another model, when no quantization of this one runs here."""
        choosing, found = self._choosing, self._finding.found
        none_runs = choosing.plans is not None and choosing.plans.best is None
        other = None
        if none_runs and choosing.model is not None and found is not None and not choosing.model.local:
            other = alternative(choosing.model, found.models, self._finding.fits)
        self._other = other.id if other is not None else ""
        if other is None:
            self.better.show_text("plain", "")
        else:
            name = phrases.of(other.name, self._look.language)
            self.better.show_text("good", self._say("panel.alternative", name=name), self._say("panel.see"))

    def _want_successor(self) -> None:
        model = self._choosing.model
        if model is not None and model.successor:
            self.model_wanted.emit(model.successor)

    def _say(self, key: str, **fields: object) -> str:
        return phrases.say(self._look.language, key, **fields)
