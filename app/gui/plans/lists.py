"""The quantizations of a model with their verdicts, and what would help."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app import plan_words, words
from app.gui.look import Look
from app.gui.parts.basics import Badge, ElidedLabel, IconView, plain_label
from app.gui.parts.holding import Tile, breakable
from app.plan_values import PlanAdvice, PlannedQuantization, PlanVerdict, PlanView

# How good a verdict is, as a badge shows it.
VERDICT_TONES: dict[PlanVerdict, str] = {
    "fits": "good",
    "tight": "warn",
    "partly_on_cpu": "warn",
    "larger_than_memory": "warn",
    "does_not_fit": "bad",
}
# Advice that is a change of the wish: its kind, the number of the wish, and the field that carries it.
APPLICABLE = {
    "context": ("context", "context_tokens"),
    "kv": ("kv", "kv_type"),
    "parallel": ("parallel", "parallel"),
    "batch": ("batch", "batch_tokens"),
}


def show_verdict(badge: Badge, look: Look, plan: PlanView) -> None:
    """The verdict as a badge."""
    badge.show_state(look, VERDICT_TONES[plan.verdict], plan_words.short_verdict(plan, look.language))


class QuantizationTile(Tile):
    """One quantization: which, how large, how fast, and whether it fits."""

    def __init__(self, look: Look) -> None:
        super().__init__("option", (10, 7, 8, 7))
        self._look = look
        self.quantization = ""
        self.setCheckable(True)
        self._radio = IconView(17)
        self._name = plain_label("", 13, 600)
        self._size = plain_label("", 12, shade=2)
        self._badge = Badge()
        self._more = ElidedLabel("", 12, shade=2)
        top = QHBoxLayout()
        top.setSpacing(8)
        for widget in (self._radio, self._name, self._size):
            top.addWidget(widget)
        top.addStretch(1)
        top.addWidget(self._badge)
        low = QHBoxLayout()
        low.setContentsMargins(25, 0, 0, 0)
        low.addWidget(self._more)
        self.column.setSpacing(2)
        self.column.addLayout(top)
        self.column.addLayout(low)
        self.let_clicks_through()

    def show_quantization(self, one: PlannedQuantization, *, chosen: bool, best: bool) -> None:
        look, theme = self._look, self._look.theme
        self.quantization = one.name
        self.setChecked(chosen)
        self.setEnabled(one.plan is not None)
        self._radio.show_icon("circle-dot" if chosen else "circle", theme.accent if chosen else theme.border_strong)
        self._name.setText(one.name)
        self._size.setText(words.shown_bytes(one.size_bytes) if one.size_bytes else "")
        if one.plan is not None:
            show_verdict(self._badge, look, one.plan)
            more = plan_words.rate(one.plan.speed.decode, look.language)
            more = f"{more} · {look.say('plans.best')}" if best else more
        else:
            self._badge.show_state(look, "bad", look.say("plans.refused"))
            more = words.describe(one.error.code, one.error.fields, look.language) if one.error else ""
        self._more.show_text(more)
        badge = plan_words.short_verdict(one.plan, look.language) if one.plan else look.say("plans.refused")
        self.setToolTip(more if one.plan is None else "")
        self.setAccessibleName(", ".join(part for part in (one.name, self._size.text(), badge, more) if part))


class QuantizationList(QWidget):
    """The rows are kept and filled anew. `chosen` carries the name of the quantization."""

    chosen = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.tiles: list[QuantizationTile] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)

    def show_quantizations(
        self, quantizations: tuple[PlannedQuantization, ...], chosen: PlannedQuantization | None, best: int | None
    ) -> None:
        while len(self.tiles) < len(quantizations):
            tile = QuantizationTile(self._look)
            tile.clicked.connect(lambda _=False, tile=tile: self.chosen.emit(tile.quantization))
            self.tiles.append(tile)
            self._column.addWidget(tile)
        for place, tile in enumerate(self.tiles):
            if place < len(quantizations):
                one = quantizations[place]
                several = len(quantizations) > 1
                tile.show_quantization(
                    one, chosen=chosen is not None and one.name == chosen.name, best=several and place == best
                )
            tile.setVisible(place < len(quantizations))


class AdviceTile(Tile):
    """Advice that can be followed with a click."""

    def __init__(self, look: Look, text: str, saves: str) -> None:
        super().__init__("tile", (12, 9, 12, 9))
        row = QHBoxLayout()
        row.setSpacing(9)
        icon = IconView(16)
        icon.show_icon("lightbulb", look.theme.warn)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(plain_label(breakable(text), 13, wrap=True), 1)
        row.addWidget(plain_label(saves, 12, 500, shade=3), 0, Qt.AlignmentFlag.AlignVCenter)
        self.column.addLayout(row)
        self.let_clicks_through()
        self.setAccessibleName(f"{text} {saves}")


class AdviceList(QWidget):
    """What would help, built anew only when it is another advice. `wanted` carries what was clicked."""

    wanted = Signal(object)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shown: tuple[object, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)

    def show_advice(self, advice: tuple[PlanAdvice, ...], siblings: frozenset[str], *, old: bool) -> None:
        """siblings: quantizations that can be switched to; old: newer numbers were fixed since."""
        key = (advice, siblings, self._look.language, self._look.theme.name)
        if key != self._shown:
            self._shown = key
            while (item := self._column.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.hide()
                    widget.deleteLater()
            for one in advice:
                self._column.addWidget(self._row(one, siblings))
        self.setEnabled(not old)
        self.setVisible(bool(advice))

    def _row(self, one: PlanAdvice, siblings: frozenset[str]) -> QWidget:
        text = plan_words.advice(one, self._look.language)
        possible = one.kind in APPLICABLE or str(one.fields.get("quantization")) in siblings
        if possible:
            tile = AdviceTile(self._look, text, self._look.say("plans.apply"))
            tile.clicked.connect(lambda: self.wanted.emit(one))
            return tile
        frame = QFrame()
        frame.setObjectName("advice")
        row = QHBoxLayout(frame)
        row.setContentsMargins(12, 9, 12, 9)
        row.setSpacing(9)
        icon = IconView(16)
        icon.show_icon("lightbulb", self._look.theme.warn)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(plain_label(breakable(text), 13, wrap=True), 1)
        return frame
