"""The memory picture of one device: a stacked bar with the safe limit, and its numbers in words."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, plain_label
from app.gui.parts.machine import short_name
from app.gui.theme.tokens import Theme
from app.plan_values import PlanDevice
from app.words import shown_bytes

PARTS = ("weights", "state", "compute", "other")
# The engine's name of the processor's own memory.
HOST = "CPU"
HATCH_STEP = 5.0
# Below this a part is a sliver that nobody sees; its number would only be noise.
LEAST_SHOWN_BYTES = 500_000


def part_bytes(device: PlanDevice) -> tuple[int, int, int, int]:
    """What the plan puts on a device, in the order of PARTS."""
    return device.weights_bytes, device.state_bytes, device.compute_bytes, device.other_bytes


def in_order(devices: tuple[PlanDevice, ...]) -> tuple[PlanDevice, ...]:
    """The cards first, as people look at them first; the processor's memory last."""
    return (*devices[1:], *devices[:1])


def part_colours(theme: Theme) -> tuple[str, str, str, str]:
    """The colours of PARTS."""
    return theme.accent, theme.memory_state, theme.memory_compute, theme.memory_other


class StackedBar(QWidget):
    """Parts side by side, what lies over the budget hatched in red, and a tick at the budget."""

    TICK = 3

    def __init__(self, look: Look, thickness: int = 12) -> None:
        super().__init__()
        self._look, self._thickness = look, thickness
        self._device: PlanDevice | None = None
        self.setFixedHeight(thickness + 2 * self.TICK)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_device(self, device: PlanDevice) -> None:
        self._device = device
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        device, theme = self._device, self._look.theme
        if device is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(0, self.TICK, self.width(), self._thickness)
        whole = max(device.free_bytes, device.budget_bytes, device.total_bytes, 1)
        frame = QPainterPath()
        frame.addRoundedRect(bar, self._thickness / 2, self._thickness / 2)
        painter.setClipPath(frame)
        painter.fillRect(bar, QColor(theme.track))
        left = 0.0
        for size, colour in zip(part_bytes(device), part_colours(theme), strict=True):
            width = bar.width() * size / whole
            if width > 0:
                painter.fillRect(QRectF(left, bar.top(), max(1.0, width - 1.5), bar.height()), QColor(colour))
            left += width
        limit = bar.width() * device.budget_bytes / whole
        if device.total_bytes > device.budget_bytes:
            hatch(painter, QRectF(limit, bar.top(), left - limit, bar.height()), theme)
        painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        tick = min(max(limit, 1.0), self.width() - 1.0)
        painter.setPen(QPen(QColor(theme.text), 2))
        painter.drawLine(QPointF(tick, 0), QPointF(tick, self.height()))
        painter.end()


def hatch(painter: QPainter, area: QRectF, theme: Theme) -> None:
    """What is too much. Lines drawn one by one: a pattern brush has no scale and is blurred on fine screens."""
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    painter.fillRect(area, QColor(theme.bad_soft))
    painter.setPen(QPen(QColor(theme.bad), 1.6))
    at = area.left() - area.height()
    while at < area.right():
        painter.drawLine(QPointF(at, area.bottom()), QPointF(at + area.height(), area.top()))
        at += HATCH_STEP
    painter.restore()


class Dot(QWidget):
    """A colour of the legend."""

    def __init__(self, look: Look, part: int) -> None:
        super().__init__()
        self._look, self._part = look, part
        self.setFixedSize(9, 9)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), 2.5, 2.5)
        painter.fillPath(path, QColor(part_colours(self._look.theme)[self._part]))
        painter.end()

    def show_part(self, part: int) -> None:
        self._part = part
        self.update()


class LegendEntry(QWidget):
    """Colour, name and number of one part."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._dot = Dot(look, 0)
        self._label = plain_label("", 12, shade=2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._dot)
        row.addWidget(self._label, 1)

    def show_part(self, part: int, text: str) -> None:
        self._dot.show_part(part)
        self._label.setText(text)


class DevicePicture(QWidget):
    """One device of a plan: its name, what is taken of what may be taken, the bar, the legend, and remarks."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._name = ElidedLabel("", 13, 600)
        self._numbers = plain_label("", 12, shade=2)
        self.bar = StackedBar(look)
        self._entries = [LegendEntry(look) for _ in PARTS]
        self._remark = plain_label("", 12, shade=3, wrap=True)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._name, 1)
        top.addWidget(self._numbers)
        legend = QGridLayout()
        legend.setContentsMargins(0, 0, 0, 0)
        legend.setHorizontalSpacing(10)
        legend.setVerticalSpacing(3)
        for place, entry in enumerate(self._entries):
            legend.addWidget(entry, place // 2, place % 2)
        legend.setColumnStretch(0, 1)
        legend.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(top)
        column.addWidget(self.bar)
        column.addLayout(legend)
        column.addWidget(self._remark)

    def show_device(self, device: PlanDevice) -> None:
        say = self._look.say
        kind = say("plans.host" if device.name == HOST else "plans.card")
        self._name.show_text(f"{kind} · {short_name(device.description)}" if device.description else kind)
        numbers = say("plans.of", used=shown_bytes(device.total_bytes), all=shown_bytes(device.budget_bytes))
        self._numbers.setText(numbers)
        self.bar.show_device(device)
        sizes = part_bytes(device)
        parts = [part for part, size in enumerate(sizes) if size >= LEAST_SHOWN_BYTES]
        texts = [f"{say(f'plans.part.{PARTS[part]}')} {shown_bytes(sizes[part])}" for part in parts]
        for place, entry in enumerate(self._entries):
            if place < len(parts):
                entry.show_part(parts[place], texts[place])
            entry.setVisible(place < len(parts))
        remarks = self._remarks(device)
        self._remark.setText("\n".join(remarks))
        self._remark.setVisible(bool(remarks))
        self.bar.setAccessibleName(" ".join([kind, numbers, *texts, *remarks]))

    def _remarks(self, device: PlanDevice) -> list[str]:
        say = self._look.say
        remarks = []
        if device.total_bytes > device.budget_bytes:
            remarks.append(say("plans.over", bytes=shown_bytes(device.total_bytes - device.budget_bytes)))
        if device.soft_bytes >= LEAST_SHOWN_BYTES:
            remarks.append(say("plans.soft", bytes=shown_bytes(device.soft_bytes)))
        if device.measured_bytes is not None:
            planned, measured = shown_bytes(device.total_bytes), shown_bytes(device.measured_bytes)
            remarks.append(say("plans.measured", planned=planned, measured=measured))
        return remarks
