"""`python -m app.gui.painting LANGUAGE BEGUN SCREENSHOT`: shows the window once and says as JSON what was to be seen.

BEGUN: `time.time()` when this program was started. SCREENSHOT: file for a picture of the window, "" for none. Starts no
service; attaches to the one of the data folder if it answers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PySide6
from PySide6.QtCore import QDir, QEvent, QEventLoop, QLibraryInfo, QObject, QTimer, qVersion
from PySide6.QtGui import QFont, QGlyphRun, QImage, QTextLayout
from PySide6.QtWidgets import QApplication

from app import paths
from app.client.http import ServiceClient
from app.errors import ServiceUnreachable
from app.gui.application import prepare_input_methods
from app.gui.link import ServiceLink
from app.gui.look import Look
from app.gui.session import Session
from app.gui.theme.fonts import mono_font, ui_font
from app.gui.window import MainWindow
from app.values import Language

PAINT_SECONDS, SERVICE_SECONDS, SETTLE_SECONDS = 4.0, 2.0, 0.1
# Of the interface, of everyday text, and one that only full Chinese fonts have.
CHINESE = "量力中文对话，你好。龘"
INPUT_VARIABLES = ("QT_IM_MODULE", "QT_IM_MODULES", "XMODIFIERS", "GTK_IM_MODULE", "XDG_SESSION_TYPE")
_PLUGIN_NAMES = {
    "ibusplatforminputcontextplugin": "ibus",
    "composeplatforminputcontextplugin": "compose",
    "fcitxplatforminputcontextplugin": "fcitx",
    "fcitx5platforminputcontextplugin": "fcitx5",
    "qtvirtualkeyboardplugin": "qtvirtualkeyboard",
}


def main(language: Language, begun: float, screenshot: str) -> dict[str, Any]:
    """What is seen; see `app.selftest.window` for who reads it."""
    prepare_input_methods(os.environ)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("liangli")
    app.setStyle("Fusion")
    link = ServiceLink(lambda: _running_service(language))
    session = Session(link)
    window = MainWindow(Look(language), session)
    paint = _FirstPaint(window)
    window.show()
    _wait(lambda: paint.time is not None, PAINT_SECONDS)
    link.open()
    _wait(lambda: session.models is not None and session.status is not None, SERVICE_SECONDS)
    # What came last from the service is laid out by events of its own.
    _wait(lambda: False, SETTLE_SECONDS)
    image = window.grab().toImage()
    seen = {
        "painted": paint.time is not None and _colours(image) > 8,
        "first_paint_seconds": round((paint.time or time.time()) - begun, 3),
        "platform": QApplication.platformName(),
        "scale": window.devicePixelRatio(),
        "screen": [window.screen().size().width(), window.screen().size().height()],
        "size": [window.width(), window.height()],
        "online": session.online,
        "qt": qVersion(),
        "pyside": PySide6.__version__,
        "screenshot_problem": _save(image, screenshot),
        "fonts": {name: drawn_with(font, CHINESE) for name, font in _fonts().items()},
        "input": {"variables": _variables(), "plugins": _plugins()},
    }
    link.close()
    window.close()
    return seen


class _FirstPaint(QObject):
    """When the window had been painted for the first time."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.time: float | None = None
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            # After this event the children are painted and all of it is flushed to the screen.
            QTimer.singleShot(0, self._note)
        return super().eventFilter(watched, event)

    def _note(self) -> None:
        self.time = time.time()


def drawn_with(font: QFont, text: str) -> list[dict[str, Any]]:
    """The faces that the text is really drawn with, each with how many of its glyphs are missing there."""
    layout = QTextLayout(text, font)
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    return [_seen(run) for run in layout.glyphRuns()]


def _seen(run: QGlyphRun) -> dict[str, Any]:
    face, glyphs = run.rawFont(), run.glyphIndexes()
    # Without any font Qt draws boxes with a face that passes for valid, and ends the program when its name is asked.
    if face.fontTable("cmap").isEmpty():
        return {"family": "", "glyphs": len(glyphs), "missing": len(glyphs), "chinese": False}
    return {
        "family": face.familyName(),
        "glyphs": len(glyphs),
        "missing": sum(index == 0 for index in glyphs),
        "chinese": face.supportsCharacter(ord("量")),
    }


def _fonts() -> dict[str, QFont]:
    return {"interface": ui_font(), "bold": ui_font(14, 700), "code": mono_font()}


def _running_service(language: Language) -> ServiceClient:
    from app.client.discover import find_service

    client = find_service(paths.data_folder(), language)
    if client is None:
        raise ServiceUnreachable(address="")
    return client


def _wait(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        time.sleep(0.001)


def _colours(image: QImage) -> int:
    """How many colours a grid of points has; a window that was not painted has one."""
    across, down = range(2, image.width(), 5), range(2, image.height(), 5)
    return len({image.pixel(x, y) for y in down for x in across})


def _save(image: QImage, screenshot: str) -> str:
    if not screenshot or image.save(screenshot, "PNG"):  # type: ignore[call-overload]
        return ""
    return "not written"


def _variables() -> dict[str, str]:
    return {name: os.environ[name][:100] for name in INPUT_VARIABLES if name in os.environ}


def _plugins() -> list[str]:
    folders = {QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath), *QApplication.libraryPaths()}
    names = {
        Path(file).name.split(".")[0].removeprefix("lib")
        for folder in folders
        for file in QDir(f"{folder}/platforminputcontexts").entryList(QDir.Filter.Files)
    }
    return sorted(_PLUGIN_NAMES.get(name, name) for name in names)


if __name__ == "__main__":
    spoken: Language = "zh" if sys.argv[1] == "zh" else "en"
    sys.stdout.write(json.dumps(main(spoken, float(sys.argv[2]), sys.argv[3])) + "\n")
    sys.stdout.flush()
    # Threads and widgets are left as they are: what was to be known is said.
    os._exit(0)
