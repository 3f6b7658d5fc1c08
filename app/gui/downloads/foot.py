"""The bar below the downloads: speed limit, hours and proxies, each changed with a click."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu

from app.gui import icons
from app.gui.downloads.limits import SPEEDS, HoursDialog, ProxiesDialog, SpeedDialog
from app.gui.look import Look
from app.gui.parts.basics import menu_under, push_button
from app.gui.session import Session
from app.gui.theme.fonts import ui_font
from app.words import shown_bytes
from resources.wording import text


class Foot(QFrame):
    """Follows the settings by itself."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self.setObjectName("foot")
        self._look, self._session = look, session
        self.speed, self.hours, self.proxies = push_button("chip"), push_button("chip"), push_button("chip")
        row = QHBoxLayout(self)
        row.setContentsMargins(26, 10, 16, 10)
        row.setSpacing(6)
        for button in (self.speed, self.hours, self.proxies):
            button.setFont(ui_font(13))
            row.addWidget(button)
        row.addStretch(1)
        self.speed.clicked.connect(lambda: self.speed_menu().popup(self._above()))
        self.hours.clicked.connect(lambda: HoursDialog(look, session, self.window()).open())
        self.proxies.clicked.connect(lambda: ProxiesDialog(look, session, self.window()).open())
        session.settings_changed.connect(self._show)
        session.link_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    def speed_menu(self) -> QMenu:
        """No limit, a few usual ones, and any other."""
        language = self._look.language
        now = int(self._session.settings.get("download_bytes_per_second", 0))
        menu = menu_under(self)
        for limit in (0, *SPEEDS):
            name = f"{limit // 1_000_000} MB/s" if limit else text("downloads.limits.no_limit", language)
            action = menu.addAction(name)
            if limit == now:
                action.setIcon(icons.icon("check", self._look.theme.accent, 15))
            action.triggered.connect(
                lambda _=False, limit=limit: self._session.change_settings(download_bytes_per_second=limit)
            )
        other = menu.addAction(text("downloads.limits.other_speed", language))
        if now not in (0, *SPEEDS):
            other.setIcon(icons.icon("check", self._look.theme.accent, 15))
        other.triggered.connect(lambda: SpeedDialog(self._look, self._session, self.window()).open())
        return menu

    def _above(self) -> QPoint:
        return self.speed.mapToGlobal(QPoint(0, -self.speed.height() * 7))

    def _show(self) -> None:
        language, settings = self._look.language, self._session.settings

        def say(key: str, **fields: object) -> str:
            return text(f"downloads.limits.{key}", language, **fields)

        limit = int(settings.get("download_bytes_per_second", 0))
        hours = str(settings.get("download_hours", ""))
        proxies = settings.get("download_proxies") or {}
        self.speed.setText(say("speed", value=f"{shown_bytes(limit)}/s" if limit else say("no_limit")))
        self.hours.setText(say("hours", value=hours.replace("-", "–") if hours else say("always")))
        self.proxies.setText(say("proxies", value=say("own", count=len(proxies)) if proxies else say("system")))
        for button in (self.speed, self.hours, self.proxies):
            button.setAccessibleName(button.text())
            button.setEnabled(self._session.online)
