"""The models of this computer with their verdicts, and a field for one that is not here yet."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app import plan_words, words
from app.gui import icons
from app.gui.look import Look
from app.gui.parts.basics import Badge, ElidedLabel, IconView, plain_label, push_button
from app.gui.parts.holding import Tile, heading
from app.gui.plans.bars import HOST, StackedBar
from app.gui.plans.lists import show_verdict
from app.gui.plans.planning import Planning
from app.gui.session import Session
from app.gui.theme.fonts import ui_font
from app.plan_values import PlanDevice, Plans, PlanView
from app.values import LocalModel

LONGEST_NAME = 500


class ModelTile(Tile):
    """One model: its verdict, the fullest device, and the expected speed."""

    def __init__(self, look: Look, model: LocalModel) -> None:
        super().__init__("tile", (16, 13, 16, 13))
        self._look, self.model = look, model
        self.setCheckable(True)
        self._name = ElidedLabel(model.name, 15, 600)
        self._badge = Badge()
        self._facts = plain_label("", 12, shade=2)
        self._bar = StackedBar(look, 8)
        self._numbers = plain_label("", 12, shade=2)
        self._zap = IconView(14)
        self._speed = plain_label("", 12, shade=2)
        self._state = ElidedLabel("", 12, shade=3)
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(self._name, 1)
        top.addWidget(self._badge)
        self._low = QWidget()
        low = QHBoxLayout(self._low)
        low.setContentsMargins(0, 0, 0, 0)
        low.setSpacing(6)
        low.addWidget(self._bar, 1)
        low.addWidget(self._numbers)
        low.addSpacing(8)
        low.addWidget(self._zap)
        low.addWidget(self._speed)
        self.column.addLayout(top)
        self.column.addWidget(self._facts)
        self.column.addWidget(self._low)
        self.column.addWidget(self._state)
        self.let_clicks_through()

    def show_answer(self, answer: Plans | Exception | None, *, chosen: bool) -> None:
        """answer: None while it is awaited."""
        look, say, model = self._look, self._look.say, self.model
        self.setChecked(chosen)
        self._facts.setText(
            f"{model.quantization} · {words.shown_bytes(model.size_bytes)} · {model.licence}".rstrip(" ·")
        )
        plan = _plan_of(answer)
        self._badge.setVisible(plan is not None)
        self._low.setVisible(plan is not None)
        self._state.setVisible(plan is None)
        if plan is not None:
            show_verdict(self._badge, look, plan)
            device = _fullest(plan)
            self._bar.show_device(device)
            used, budget = words.shown_bytes(device.total_bytes), words.shown_bytes(device.budget_bytes)
            kind = say("plans.host" if device.name == HOST else "plans.card")
            self._numbers.setText(f"{kind} {say('plans.of', used=used, all=budget)}")
            self._zap.show_icon("zap", look.theme.text_third)
            self._speed.setText(plan_words.rate(plan.speed.decode, look.language))
            state = f"{plan_words.verdict(plan, look.language)} {self._numbers.text()} {self._speed.text()}"
        else:
            state = words.describe_error(answer, look.language) if isinstance(answer, Exception) else ""
            self._state.show_text(state or say("plans.waiting"))
        self.setToolTip(f"{model.name}\n{state}" if plan is None and state else model.name)
        self.setAccessibleName(f"{model.name} {self._facts.text()} {state}")


class ModelList(QWidget):
    """Follows session and planning by itself. `looked_at`: the user has chosen what to look at; `starter_wanted`: a
    computer without models needs a first one."""

    looked_at = Signal()
    starter_wanted = Signal()

    def __init__(self, look: Look, session: Session, planning: Planning) -> None:
        super().__init__()
        self._look, self._session, self._planning = look, session, planning
        self.tiles: dict[str, ModelTile] = {}
        self._title = heading(16)
        self._text = plain_label("", 13, shade=2, wrap=True)
        self.field = QLineEdit()
        self.field.setFont(ui_font(14))
        self.field.setMinimumHeight(38)
        self.field.setMaxLength(LONGEST_NAME)
        self._glass = QAction(self)
        self.field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.button = push_button("", 500)
        self.button.setMinimumHeight(38)
        self._own = heading(14)
        self._nothing = plain_label("", 13, shade=3, wrap=True)
        self.starter = push_button("", 500)
        self._tiles = QVBoxLayout()
        self._tiles.setSpacing(10)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addLayout(row)
        column.addSpacing(8)
        column.addWidget(self._own)
        column.addWidget(self._nothing)
        column.addWidget(self.starter, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._tiles)
        self.field.returnPressed.connect(self._search)
        self.button.clicked.connect(self._search)
        self.starter.clicked.connect(self.starter_wanted)
        session.models_changed.connect(self._make_tiles)
        planning.changed.connect(self._show)
        planning.previews_changed.connect(self._show)
        look.changed.connect(self._refresh)
        self._make_tiles()
        self._refresh()

    def ask(self) -> None:
        """Plan what is not planned yet; called while the page is to be seen."""
        self._planning.preview(tuple(self.tiles))

    def _search(self) -> None:
        if self.field.text().strip():
            self._planning.look_at(self.field.text())
            self.looked_at.emit()

    def _choose(self, model_id: str) -> None:
        self._planning.look_at(model_id)
        self.looked_at.emit()

    def _make_tiles(self) -> None:
        models = {model.id: model for model in self._session.usable_models}
        for model_id in [one for one, tile in self.tiles.items() if models.get(one) != tile.model]:
            tile = self.tiles.pop(model_id)
            self._tiles.removeWidget(tile)
            tile.hide()
            tile.deleteLater()
        for model_id, model in models.items():
            if model_id not in self.tiles:
                tile = ModelTile(self._look, model)
                tile.clicked.connect(lambda _=False, model_id=model_id: self._choose(model_id))
                self.tiles[model_id] = tile
                self._tiles.addWidget(tile)
        if self.isVisible():
            self.ask()
        self._show()

    def _refresh(self) -> None:
        say = self._look.say
        self._title.setText(say("plans.before"))
        self._text.setText(say("plans.before_text"))
        self.field.setPlaceholderText(say("plans.field_example"))
        self.field.setAccessibleName(say("plans.field"))
        self._glass.setIcon(icons.icon("search", self._look.theme.text_third, 15))
        self.button.setText(say("plans.go"))
        self._own.setText(say("plans.own"))
        self._nothing.setText(say("plans.no_models"))
        self.starter.setText(say("header.starter"))
        self._show()

    def _show(self) -> None:
        self._nothing.setVisible(not self.tiles)
        self.starter.setVisible(not self.tiles)
        for model_id, tile in self.tiles.items():
            tile.show_answer(self._planning.previews.get(model_id), chosen=model_id == self._planning.target)


def _plan_of(answer: Plans | Exception | None) -> PlanView | None:
    if not isinstance(answer, Plans) or not answer.quantizations:
        return None
    return answer.quantizations[answer.best or 0].plan


def _fullest(plan: PlanView) -> PlanDevice:
    """The device whose budget is used up first."""
    return max(plan.devices, key=lambda device: device.total_bytes / max(1, device.budget_bytes))
