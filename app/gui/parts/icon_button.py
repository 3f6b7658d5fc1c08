"""A borderless button with an icon, whose name is any text."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton

from app.gui import icons
from app.gui.look import Look


class IconButton(QToolButton):
    """Its name is its tool tip, too. Dressed again after a change of language or theme."""

    def __init__(self, look: Look, pixels: int = 17) -> None:
        super().__init__()
        self._look = look
        self.setProperty("kind", "ghost")
        self.setIconSize(QSize(pixels, pixels))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def dress(self, icon_name: str, name: str, what: str = "") -> None:
        """what: the thing that the button belongs to, for those who do not see it."""
        theme = self._look.theme
        colour = theme.text_second if self.isEnabled() else theme.border_strong
        self.setIcon(icons.icon(icon_name, colour, self.iconSize().width()))
        self.setToolTip(name)
        self.setAccessibleName(f"{name} {what}".strip())
