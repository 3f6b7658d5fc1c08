"""The text widget loads nothing, opens nothing, and gives text back as it was."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QImage, QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.transcript.browser import SafeBrowser
from app.gui.transcript.tame import tamed_plain


def test_no_picture_of_the_disk_is_drawn(qtbot: QtBot, tmp_path: Path) -> None:
    picture = QImage(40, 40, QImage.Format.Format_RGB32)
    picture.fill(QColor("#ff0000"))
    path = tmp_path / "red.png"
    assert picture.save(str(path))
    browser = SafeBrowser()
    qtbot.addWidget(browser)
    browser.resize(200, 200)
    browser.setHtml(f'<p><img src="{path.as_uri()}"><img src="{path}"></p>')
    browser.show()
    drawn = browser.grab().toImage()
    colours = {drawn.pixelColor(x, y).name() for x in range(0, 200, 4) for y in range(0, 200, 4)}
    assert "#ff0000" not in colours
    loaded = browser.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl.fromLocalFile(str(path)))
    assert loaded.width() == 1


def test_a_link_asks_and_leads_nowhere_by_itself(qtbot: QtBot) -> None:
    browser = SafeBrowser()
    qtbot.addWidget(browser)
    browser.setHtml('<a href="https://example.org/x">x</a>')
    with qtbot.waitSignal(browser.link_wanted) as caught:
        browser.anchorClicked.emit(QUrl("https://example.org/x"))
    assert caught.args == ["https://example.org/x"]
    assert browser.toPlainText() == "x"


def test_copied_text_is_what_was_written(qtbot: QtBot) -> None:
    browser = SafeBrowser()
    qtbot.addWidget(browser)
    text = "a" * 5_000 + "\n量力"
    browser.setPlainText(tamed_plain(text))
    browser.moveCursor(QTextCursor.MoveOperation.Start)
    browser.selectAll()
    browser.copy()
    assert QApplication.clipboard().text() == text
