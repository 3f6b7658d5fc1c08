"""Starts the window: Qt's environment, the look, the link to the service, and what happens when it is closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.client.http import ServiceClient
from app.errors import AppError
from app.gui.garbage import QtThreadCollector
from app.gui.link import ServiceLink
from app.gui.look import Look
from app.gui.opener import Opener
from app.gui.report import REPORT_VARIABLE, WindowReport
from app.gui.session import Session
from app.gui.single_instance import SingleInstance, hand_over, socket_name
from app.gui.window import MainWindow
from app.settings import Settings, load_settings
from app.values import Language

SETTINGS_FILE = "settings.toml"


def run_gui(data_folder: Path, language: Language, openings: Sequence[str] = ()) -> int:
    """Show the window until it is closed; returns the exit status. `language` is what the user's settings mean now.

    openings: files, by whole paths, and addresses to open in it. Where a window of this data folder is open already,
    it is the one that shows itself and opens them, and this ends at once.
    """
    name = socket_name(data_folder)
    measured = os.environ.get(REPORT_VARIABLE)  # a window of its own, whatever is open
    if not measured and hand_over(name, openings):
        return 0
    prepare_input_methods(os.environ)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("liangli")
    app.setDesktopFileName("io.github.liangli.Liangli")
    app.setStyle("Fusion")
    collector = QtThreadCollector()
    connector = Connector(data_folder, language)
    look = Look(language, _settings(data_folder).theme)
    link = ServiceLink(connector)
    session = Session(link)
    window = MainWindow(look, session, on_closed=lambda: connector.let_go(session, window.downloads.running))
    if measured:
        WindowReport(window, session, measured)
    window.show()
    opener = Opener(window, session)
    instance = SingleInstance(name)
    instance.asked.connect(opener.open)
    QTimer.singleShot(0, link.open)  # after the first paint: the window does not wait for anything
    if not measured:
        QTimer.singleShot(0, instance.listen)
    if openings:
        QTimer.singleShot(0, lambda: opener.open(openings))
    status = app.exec()
    instance.close()
    link.close()
    collector.deleteLater()
    return status


def prepare_input_methods(environment: dict[str, str] | os._Environ[str]) -> None:
    """Let Chinese input work where QT_IM_MODULE=fcitx names a plugin that PySide6 does not bring.

    fcitx also answers as ibus, whose plugin is there; QT_IM_MODULES lists what Qt may fall back to.
    """
    if environment.get("QT_IM_MODULE") == "fcitx" and "QT_IM_MODULES" not in environment:
        environment["QT_IM_MODULES"] = "wayland;fcitx;ibus"


class Connector:
    """Finds or starts the service, and remembers whether this window started it."""

    def __init__(self, data_folder: Path, language: Language) -> None:
        self._data_folder, self._language = data_folder, language
        self._client: ServiceClient | None = None
        self._started = False

    def __call__(self) -> ServiceClient:
        """Called in a background thread. Raises ServiceStartFailed."""
        from app.client.discover import connect_or_start, find_service

        client = find_service(self._data_folder, self._language)
        if client is None:
            client = connect_or_start(self._data_folder, self._language)
            self._started = True
        self._client = client
        return client

    def let_go(self, session: Session, downloads: int) -> None:
        """The window closes: a service that it started and that nobody uses is stopped, any other is left alone.

        downloads: how many are on their way; they go on without a window.
        """
        idle = not any(engine.running_requests or engine.waiting_requests for engine in session.engines.values())
        if self._started and self._client is not None and session.online and idle and not downloads:
            with suppress(AppError):  # it may be gone already
                self._client.shutdown()


def _settings(data_folder: Path) -> Settings:
    try:
        return load_settings(data_folder / SETTINGS_FILE)
    except AppError:
        return Settings()  # the service reports a broken settings file; the window opens all the same
