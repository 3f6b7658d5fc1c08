"""Labels, buttons and badges in the window's style."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from app.gui import icons
from app.gui.look import Look
from app.gui.theme.fonts import ui_font
from app.gui.theme.tokens import BODY


def plain_label(
    text: str = "",
    pixels: int = BODY,
    weight: int = 400,
    *,
    shade: int = 1,
    wrap: bool = False,
    parent: QWidget | None = None,
) -> QLabel:
    """A label that shows its text as it is: names and titles come from files and models, so no markup is read.

    shade: 1 for what is read first, 2 and 3 for what matters less.
    """
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(ui_font(pixels, weight))
    label.setProperty("shade", str(shade))
    label.setWordWrap(wrap)
    return label


class ElidedLabel(QLabel):
    """One line of plain text, shortened with … where it does not fit; the tool tip has all of it."""

    def __init__(self, text: str = "", pixels: int = BODY, weight: int = 400, *, shade: int = 1) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(ui_font(pixels, weight))
        self.setProperty("shade", str(shade))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._whole = ""
        self.show_text(text)

    def show_text(self, text: str) -> None:
        self._whole = text[:500]
        self.setAccessibleName(self._whole)
        self.updateGeometry()
        self._elide()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._whole) + 2, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.fontMetrics().height() + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(self.width(), 24))
        self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


def ghost_button(
    look: Look,
    icon_name: str,
    name_key: str,
    *,
    pixels: int = 17,
    words: str = "",
    parent: QWidget | None = None,
) -> QToolButton:
    """A borderless icon button. name_key: its accessible name and tool tip; words: key of a text beside the icon.

    `dress_button` renews both after a change of language or theme.
    """
    button = QToolButton(parent)
    button.setProperty("kind", "ghost")
    button.setIconSize(QSize(pixels, pixels))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    if words:
        button.setFont(ui_font(12))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    dress_button(look, button, icon_name, name_key, words)
    return button


def dress_button(look: Look, button: QToolButton, icon_name: str, name_key: str, words: str = "") -> None:
    """Icon and texts in the present theme and language."""
    button.setIcon(icons.icon(icon_name, look.theme.text_second, button.iconSize().width()))
    button.setToolTip(look.say(name_key))
    button.setAccessibleName(look.say(name_key))
    if words:
        button.setText(" " + look.say(words))


def push_button(kind: str = "", weight: int = 400) -> QPushButton:
    """A button with words; kind "primary" is the one thing to do on a page."""
    button = QPushButton()
    button.setFont(ui_font(BODY, weight))
    if kind:
        button.setProperty("kind", kind)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    return button


def menu_under(parent: QWidget) -> QMenu:
    """An empty menu with round corners that forgets itself when it is closed."""
    menu = QMenu(parent)
    menu.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    menu.setWindowFlag(Qt.WindowType.NoDropShadowWindowHint)
    menu.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu


class IconView(QWidget):
    """An icon that is no button."""

    def __init__(self, pixels: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(pixels, pixels)
        self._name, self._colour = "", ""

    def show_icon(self, name: str, colour: str) -> None:
        if (name, colour) != (self._name, self._colour):
            self._name, self._colour = name, colour
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._name:
            painter = QPainter(self)
            painter.drawPixmap(0, 0, icons.pixmap(self._name, self._colour, self.width()))
            painter.end()


TONES = {
    "good": "circle-check",
    "warn": "triangle-alert",
    "bad": "circle-x",
    "busy": "refresh-cw",
    "still": "pause",
    "twice": "copy",
}


class Badge(QFrame):
    """A state as icon and word on a soft ground: never by its colour alone."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("badge")
        self.setFixedHeight(24)
        self._icon = IconView(14)
        self._label = plain_label("", 12, 500)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 9, 0)
        row.setSpacing(5)
        row.addWidget(self._icon)
        row.addWidget(self._label)

    def show_state(self, look: Look, tone: str, text: str) -> None:
        """tone: one of TONES."""
        theme = look.theme
        colour = {"good": theme.good, "warn": theme.warn, "bad": theme.bad}.get(tone, theme.text_second)
        self._icon.show_icon(TONES[tone], colour)
        self._label.setText(text)
        self.setAccessibleName(text)
        set_property(self, "tone", tone)


def set_property(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet asks for, and style the widget anew if it changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        for one in (widget, *widget.findChildren(QWidget)):
            one.style().unpolish(one)
            one.style().polish(one)
