"""The dialog of newer versions, with a child that says what the test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.gui.header import Header
from app.gui.look import Look
from app.gui.session import Session
from app.gui.updates.dialog import UpdateDialog
from app.updates.values import Failed, Fetched, Fetching, Found, OfferedFile

FILE = OfferedFile(
    name="liangli_0.2.0_amd64.deb", kind="deb", size_bytes=70_000_000, sha256="", url="", needs="", runs_here=True
)
NEWER = Found(
    own_version="0.1.0",
    version="0.2.0",
    newer=True,
    date="2998-12-31",
    notes_zh="更快了。<img src='file:///x'>",
    notes_en="It is faster.",
    files=(FILE,),
    best=FILE.name,
)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What children were asked."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("app.gui.updates.child.UpdateChild.start", lambda self, *arguments: asked.append(arguments))
    return asked


@pytest.fixture
def dialog(qtbot: QtBot, look: Look, started: list[tuple[str, ...]]) -> Iterator[UpdateDialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = UpdateDialog(look, parent)
    dialog.open()
    dialog.ask()
    yield dialog
    del parent


def test_what_is_new_is_shown_as_plain_text_and_downloaded_when_told(
    dialog: UpdateDialog, started: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    assert started == [("check",)] and "正在查看" in dialog.status.text()
    dialog.child.said.emit(NEWER)
    assert "0.2.0" in dialog.status.text() and dialog.notes.toPlainText() == "更快了。<img src='file:///x'>"
    assert dialog.action.text() == "下载（70.0 MB）"
    assert started == [("check",)]
    dialog.action.click()
    assert started[-1] == ("fetch", FILE.name) and dialog.close_button.text() == "停止"
    dialog.child.said.emit(NEWER)
    dialog.child.said.emit(Fetching(received_bytes=35_000_000, total_bytes=70_000_000, bytes_per_second=5e6))
    assert dialog.bar.value() == 500 and "35.0 MB / 70.0 MB · 5.00 MB/s" in dialog.detail.text()
    dialog.child.said.emit(Fetched(path="/data/updates/x.deb", kind="deb", sha256="", version="0.2.0"))
    assert "核对无误" in dialog.status.text() and "sudo apt install /data/updates/x.deb" in dialog.detail.text()
    dialog.action.click()
    assert [url.toLocalFile() for url in opened] == ["/data/updates"]


def test_the_newest_version(dialog: UpdateDialog) -> None:
    dialog.child.said.emit(Found(own_version="0.1.0", version="0.1.0", newer=False))
    assert dialog.status.text() == "0.1.0 已是最新版本。"
    assert not dialog.action.isVisible() and not dialog.notes.isVisible()


def test_a_version_without_a_file_for_this_computer(dialog: UpdateDialog) -> None:
    dialog.child.said.emit(msgspec.structs.replace(NEWER, files=(), best=""))
    assert "没有适合这台电脑" in dialog.detail.text() and not dialog.action.isVisible()


def test_what_went_wrong_is_said_and_can_be_tried_again(dialog: UpdateDialog, started: list[tuple[str, ...]]) -> None:
    dialog.child.said.emit(Failed(code="ProgramUpdatesNotSetUp", fields={"missing": "address"}))
    assert "LIANGLI_UPDATE_URL" in dialog.detail.text()
    dialog.action.click()
    assert started == [("check",)] * 2
    dialog.child.said.emit(NEWER)
    dialog.action.click()
    dialog.child.said.emit(Failed(code="", fields={}))
    assert dialog.status.text() == "没有下载成" and "意外结束" in dialog.detail.text()
    dialog.action.click()
    assert started[-1] == ("fetch", FILE.name)


def test_the_menu_has_a_quiet_entry(qtbot: QtBot, look: Look, session: Session, started: list[tuple[str, ...]]) -> None:
    header = Header(look, session)
    qtbot.addWidget(header)
    wanted: list[None] = []
    header.update_wanted.connect(lambda: wanted.append(None))
    (entry,) = (one for one in header.settings_menu().actions() if one.text() == "检查更新……")
    assert started == []
    entry.trigger()
    assert wanted == [None]


def test_words_fit_both_languages(qtbot: QtBot, look: Look, started: list[tuple[str, ...]]) -> None:
    look.speak("en")
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = UpdateDialog(look, parent)
    shown: Callable[[], str] = dialog.notes.toPlainText
    dialog.child.said.emit(NEWER)
    assert shown() == "It is faster." and dialog.action.text() == "Download (70.0 MB)"
