"""Questions before something leaves the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.dialogs import ApiInfo, ExactPrompt, Question, WholeText, ask_to_open
from app.gui.look import Look
from app.values import MessagePrompt


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    addresses: list[str] = []

    def open_url(url: QUrl) -> bool:
        addresses.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    return addresses


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent


def test_a_link_is_opened_only_when_wanted(
    look: Look, parent: QWidget, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    answer = QDialog.DialogCode.Rejected

    def exec_(self: Question) -> QDialog.DialogCode:
        box = self.findChild(QPlainTextEdit)
        assert box is not None
        shown.append(box.toPlainText())
        return answer

    monkeypatch.setattr(Question, "exec", exec_)
    ask_to_open(look, parent, "https://example.org/a?b=c")
    assert opened == []
    answer = QDialog.DialogCode.Accepted
    ask_to_open(look, parent, "https://example.org/a?b=c")
    assert opened == ["https://example.org/a?b=c"]
    assert shown == ["https://example.org/a?b=c"] * 2


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "smb://host/x", "nonsense", ""])
def test_other_schemes_are_not_even_asked_about(
    look: Look, parent: QWidget, opened: list[str], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(Question, "exec", lambda self: QDialog.DialogCode.Accepted)
    ask_to_open(look, parent, address)
    assert opened == []


def test_address_and_key_can_be_copied(qtbot: QtBot, look: Look, parent: QWidget) -> None:
    dialog = ApiInfo(look, parent, "http://127.0.0.1:11466", "sk-secret")
    values = [field.text() for field in dialog.findChildren(QLineEdit)]
    assert values == ["http://127.0.0.1:11466/v1", "sk-secret"]
    dialog.findChildren(QPushButton)[1].click()
    assert QApplication.clipboard().text() == "sk-secret"


def test_a_whole_megabyte_is_shown_without_freezing(qtbot: QtBot, look: Look, parent: QWidget) -> None:
    dialog = WholeText(look, parent, "x" * 1_000_000)
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.close()


@pytest.mark.parametrize("profile", [None, "baichuan"])
def test_the_exact_prompt_can_be_read_and_copied(look: Look, parent: QWidget, profile: str | None) -> None:
    prompt = MessagePrompt(model="some-model", text="<|im_start|>user\n你好", prompt_tokens=1234, chat_profile=profile)
    dialog = ExactPrompt(look, parent, prompt)
    box, copy = dialog.findChild(QPlainTextEdit), dialog.findChild(QPushButton)
    assert box is not None and copy is not None
    assert box.toPlainText() == prompt.text
    told = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "1,234" in told and "some-model" in told
    assert ("baichuan" in told) is (profile is not None)
    copy.click()
    assert QApplication.clipboard().text() == prompt.text
