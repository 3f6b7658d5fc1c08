"""Cards of what this computer has, with the figures of the moment."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.gui.look import Look
from app.gui.parts.basics import Badge, ElidedLabel, IconView, plain_label
from app.gui.parts.drawn import MemoryBar
from app.gui.parts.holding import breakable
from app.gui.plans.hardware_watch import HardwareWatch
from app.plan_values import AcceleratorView, HardwareView
from app.words import shown_bytes
from resources.wording import text

# Narrower than this, the cards stand in one column.
TWO_COLUMNS_WIDTH = 480
USERS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one card says. used: 0..1 for the bar, None for no bar; warning: words of a badge."""

    icon: str
    kind: str
    name: str
    numbers: str
    used: float | None
    notes: tuple[str, ...]
    warning: str = ""


class FactCard(QFrame):
    """One part of the computer."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("card")
        self._look = look
        self._icon = IconView(17)
        self._kind = plain_label("", 12, 500, shade=2)
        self._numbers = plain_label("", 12, shade=2)
        self._name = ElidedLabel("", 14, 600)
        self._bar = MemoryBar(look)
        self._notes = plain_label("", 12, shade=3, wrap=True)
        self._badge = Badge()
        top = QHBoxLayout()
        top.setSpacing(7)
        top.addWidget(self._icon)
        top.addWidget(self._kind)
        top.addStretch(1)
        top.addWidget(self._numbers)
        low = QHBoxLayout()
        low.addWidget(self._badge)
        low.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(6)
        column.addLayout(top)
        column.addWidget(self._name)
        column.addWidget(self._bar)
        column.addWidget(self._notes)
        column.addLayout(low)
        column.addStretch(1)

    def show_fact(self, fact: Fact) -> None:
        self._icon.show_icon(fact.icon, self._look.theme.accent)
        self._kind.setText(fact.kind)
        self._numbers.setText(fact.numbers)
        self._name.show_text(fact.name)
        self._name.setVisible(bool(fact.name))
        self._bar.setVisible(fact.used is not None)
        if fact.used is not None:
            self._bar.show_parts(0.0, min(1.0, max(0.0, fact.used)))
        self._notes.setText(breakable(" · ".join(fact.notes)))
        self._notes.setVisible(bool(fact.notes))
        self._badge.setVisible(bool(fact.warning))
        if fact.warning:
            self._badge.show_state(self._look, "warn", fact.warning)
        self.setAccessibleName(" ".join((fact.kind, fact.name, fact.numbers, *fact.notes, fact.warning)))


class HardwareCards(QWidget):
    """Follows the watch by itself."""

    def __init__(self, look: Look, watch: HardwareWatch) -> None:
        super().__init__()
        self._look, self._watch = look, watch
        self.cards: list[FactCard] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(10)
        watch.view_changed.connect(self._show)
        watch.live_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    def minimumSizeHint(self) -> QSize:
        return QSize(200, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _show(self) -> None:
        view = self._watch.view
        facts = [] if view is None else self._facts(view)
        if len(self.cards) != len(facts):
            self._make(len(facts))
        for card, fact in zip(self.cards, facts, strict=True):
            card.show_fact(fact)

    def _make(self, count: int) -> None:
        """As many cards as there are parts; that changes when a driver wakes up or falls asleep."""
        for card in self.cards:
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = [FactCard(self._look) for _ in range(count)]
        self._columns = 0
        self._place()

    def _place(self) -> None:
        columns = 2 if self.width() >= TWO_COLUMNS_WIDTH else 1
        if columns == self._columns:
            return
        self._columns = columns
        for place, card in enumerate(self.cards):
            alone = place == len(self.cards) - 1 and place % columns == 0
            self._grid.addWidget(card, place // columns, place % columns, 1, columns if alone else 1)
        for column in range(2):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _facts(self, view: HardwareView) -> list[Fact]:
        cards = [self._accelerator(one, place) for place, one in enumerate(view.accelerators)]
        return [self._processor(view), self._memory(view), *cards, self._disk(view)]

    def _probe(self, key: str, **fields: object) -> str:
        return text(f"probe.{key}", self._look.language, **fields)

    def _processor(self, view: HardwareView) -> Fact:
        say, live = self._look.say, self._watch.live
        cores = say("hardware.cores", usable=view.usable_cores, physical=view.physical_cores)
        if view.performance_cores and view.efficiency_cores:
            cores += self._probe("fact.cores_kinds", fast=view.performance_cores, frugal=view.efficiency_cores)
        notes = [cores] if view.physical_cores else []
        if view.quota_cores is not None:
            notes.append(say("hardware.quota", cores=f"{view.quota_cores:g}"))
        if view.instruction_sets:
            notes.append(" ".join(view.instruction_sets))
        return Fact(
            icon="cpu",
            kind=say("hardware.processor"),
            name=view.cpu_name or say("hardware.unknown"),
            numbers=say("hardware.load", percent=round(100 * live.cpu_load)) if live else "",
            used=live.cpu_load if live else None,
            notes=tuple(notes),
        )

    def _memory(self, view: HardwareView) -> Fact:
        live = self._watch.live
        total = live.memory_total_bytes if live else view.memory_total_bytes
        available = live.memory_available_bytes if live else view.memory_available_bytes
        notes = (self._look.say("hardware.group"),) if view.memory_limited_by_group else ()
        return Fact(
            icon="memory-stick",
            kind=self._look.say("hardware.memory"),
            name=self._free(available, total),
            numbers=_of(total - available, total),
            used=(total - available) / total if total else None,
            notes=notes,
        )

    def _free(self, free: int, total: int) -> str:
        return self._look.say("hardware.free", bytes=shown_bytes(free)) if total else self._look.say("hardware.unknown")

    def _disk(self, view: HardwareView) -> Fact:
        total, free = view.disk_total_bytes, view.disk_free_bytes
        kinds = ("ssd", "hdd", "network")
        kind = self._probe(f"disk_kind.{view.disk_kind}") if view.disk_kind in kinds else ""
        return Fact(
            icon="hard-drive",
            kind=self._look.say("hardware.disk"),
            name=self._free(free, total),
            numbers=_of(total - free, total),
            used=(total - free) / total if total else None,
            notes=tuple(note for note in (kind, view.disk_folder) if note),
        )

    def _accelerator(self, card: AcceleratorView, place: int) -> Fact:
        say, live = self._look.say, self._watch.live
        total, free = card.total_bytes, card.free_bytes
        if live is not None and place < len(live.accelerators) and live.accelerators[place].name == card.name:
            free = live.accelerators[place].free_bytes if live.accelerators[place].free_bytes is not None else free
        notes = []
        if card.shares_host_memory:
            notes.append(say("hardware.shared"))
        if card.driver:
            notes.append(self._probe("card.driver", version=card.driver))
        if card.display_attached:
            notes.append(self._probe("card.display"))
        if card.users:
            shown = [
                self._probe("card.user", name=name, used=shown_bytes(used)) if used is not None else name
                for name, used in card.users[:USERS_SHOWN]
            ]
            programs = ("、" if self._look.language == "zh" else ", ").join(shown)
            notes.append(say("hardware.users", programs=programs))
        known = total is not None and free is not None
        warning = say("hardware.old_driver") if card.driver_too_old else "" if card.usable else say("hardware.unusable")
        return Fact(
            icon="zap",
            kind=say("hardware.npu" if card.kind == "npu" else "hardware.card"),
            name=card.name,
            numbers=_of((total or 0) - (free or 0), total or 0) if known else shown_bytes(total) if total else "",
            used=((total or 0) - (free or 0)) / (total or 1) if known and total else None,
            notes=tuple(notes),
            warning=warning,
        )


def _of(used: int, total: int) -> str:
    return f"{shown_bytes(max(0, used))} / {shown_bytes(total)}" if total > 0 else ""
