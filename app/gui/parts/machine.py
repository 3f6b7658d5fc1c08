"""This computer in a few words."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout

from app import words
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, IconView, set_property
from app.plan_values import HardwareView


class MachinePill(QFrame):
    """The computer in a few words."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("machine")
        self._look = look
        self._icon = IconView(16)
        self._label = ElidedLabel("", 13, 500)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._label, 1)

    def show_machine(self, words: str, *, imagined: bool) -> None:
        theme = self._look.theme
        self._icon.show_icon("sparkles" if imagined else "cpu", theme.warn if imagined else theme.accent)
        self._label.show_text(words)
        self.setAccessibleName(words)
        set_property(self, "tone", "warn" if imagined else "")
        self.setVisible(bool(words))


def short_name(name: str) -> str:
    """A card's name as people say it: without its maker."""
    for maker in ("NVIDIA GeForce ", "NVIDIA ", "AMD ", "Intel(R) "):
        name = name.removeprefix(maker)
    return name


def in_a_few_words(look: Look, view: HardwareView | None) -> str:
    """ "RTX 4060 · 8.59 GB 显存 + 17.2 GB 内存"; without a card the processor and the memory."""
    if view is None:
        return ""
    memory = words.shown_bytes(view.memory_total_bytes) if view.memory_total_bytes else ""
    card = next((one for one in view.accelerators if one.usable and one.total_bytes), None)
    if card is None or card.total_bytes is None:
        return " · ".join(part for part in (view.cpu_name, memory) if part)
    size = words.shown_bytes(card.total_bytes)
    return look.say("plans.machine_card", name=short_name(card.name), card=size, memory=memory)
