"""The sidebar's entries: one button for each page beside the chats."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.gui import icons
from app.gui.look import Look
from app.gui.theme.fonts import ui_font

# In their order. The name is that of its text `side.NAME`.
PAGES = {"discover": "box", "library": "hard-drive", "downloads": "download", "plans": "gauge"}
_BADGE_HEIGHT = 18


class NavigationButton(QPushButton):
    """Opens a page; a badge at its end tells of something that goes on there."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look, self._name = look, name
        self._badge = ""
        self.setProperty("kind", "nav")
        self.setFont(ui_font(14))
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        look.changed.connect(self.refresh)
        self.refresh()

    def show_badge(self, badge: str, spoken: str) -> None:
        """spoken: what it means, for those who do not see it; "" where nothing is to be told."""
        self._badge = badge
        self.setToolTip(spoken)
        self.setAccessibleDescription(spoken)
        self.update()

    def refresh(self) -> None:
        name, theme = self._look.say(f"side.{self._name}"), self._look.theme
        self.setText("  " + name.replace("&", "&&"))
        self.setAccessibleName(name)
        self.setIcon(icons.icon(PAGES[self._name], theme.accent if self.isChecked() else theme.text_second, 17))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._badge:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = ui_font(11, 600)
        width = QFontMetrics(font).horizontalAdvance(self._badge) + 12
        place = self.rect().adjusted(self.width() - width - 10, (self.height() - _BADGE_HEIGHT) // 2, -10, 0)
        place.setHeight(_BADGE_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._look.theme.accent_soft))
        painter.drawRoundedRect(place, _BADGE_HEIGHT / 2, _BADGE_HEIGHT / 2)
        painter.setFont(font)
        painter.setPen(QColor(self._look.theme.accent))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._badge)


class Navigation(QWidget):
    """All of them; `wanted` names the page."""

    wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.buttons = {name: NavigationButton(look, name) for name in PAGES}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for name, button in self.buttons.items():
            column.addWidget(button)
            button.clicked.connect(lambda _=False, name=name: self._want(name))

    def show_open(self, page: str) -> None:
        """Which page is on the screen; "" for none of these."""
        for name, button in self.buttons.items():
            button.setChecked(name == page)
            button.refresh()

    def _want(self, name: str) -> None:
        self.buttons[name].setChecked(True)  # a second click does not leave the page
        self.wanted.emit(name)
