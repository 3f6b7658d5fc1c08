"""Writing a message."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.composer import PASTE_CHARACTERS, Composer
from app.gui.look import Look


@pytest.fixture
def composer(qtbot: QtBot, look: Look) -> Composer:
    composer = Composer(look)
    qtbot.addWidget(composer)
    composer.resize(700, 120)
    composer.show()
    qtbot.waitExposed(composer)
    composer.set_ready(True)
    composer.field.setFocus()
    return composer


def sent(composer: Composer) -> list[str]:
    texts: list[str] = []
    composer.send_wanted.connect(texts.append)
    return texts


def compose(composer: Composer, preedit: str, commit: str = "") -> None:
    """What an input method does."""
    event = QInputMethodEvent(preedit, [])
    if commit:
        event.setCommitString(commit)
    QApplication.sendEvent(composer.field, event)


def test_enter_sends_and_the_text_stays_until_it_is_kept(qtbot: QtBot, composer: Composer) -> None:
    texts = sent(composer)
    QTest.keyClicks(composer.field, " hello ")
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert texts == ["hello"]
    assert composer.field.toPlainText() == " hello "
    composer.clear()
    assert composer.field.toPlainText() == ""


def test_a_failed_message_can_be_sent_again(qtbot: QtBot, composer: Composer) -> None:
    texts = sent(composer)
    composer.suggest("x")
    QTest.keyClick(composer.field, Qt.Key.Key_Enter)
    composer.release()
    QTest.keyClick(composer.field, Qt.Key.Key_Enter)
    assert texts == ["x", "x"]


def test_shift_enter_is_a_new_line(qtbot: QtBot, composer: Composer) -> None:
    texts = sent(composer)
    QTest.keyClicks(composer.field, "a")
    QTest.keyClick(composer.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(composer.field, "b")
    assert texts == []
    assert composer.field.toPlainText() == "a\nb"


def test_enter_belongs_to_the_input_method_while_it_composes(qtbot: QtBot, composer: Composer) -> None:
    texts = sent(composer)
    compose(composer, "liang'li")
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert texts == []
    compose(composer, "", commit="量力")
    assert composer.field.toPlainText() == "量力"
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert texts == ["量力"]


def test_escape_belongs_to_the_input_method_too(qtbot: QtBot, composer: Composer) -> None:
    composer.set_writing(True)
    compose(composer, "liang")
    with qtbot.assertNotEmitted(composer.stop_wanted):
        QTest.keyClick(composer.field, Qt.Key.Key_Escape)
    compose(composer, "")
    with qtbot.waitSignal(composer.stop_wanted):
        QTest.keyClick(composer.field, Qt.Key.Key_Escape)


def test_nothing_is_sent_without_a_model_or_text_or_while_an_answer_is_written(
    qtbot: QtBot, composer: Composer
) -> None:
    texts = sent(composer)
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    composer.suggest("x")
    composer.set_ready(False)
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert not composer.button.isEnabled()
    composer.set_ready(True)
    composer.set_writing(True)
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert texts == []


def test_the_button_stops_while_an_answer_is_written(qtbot: QtBot, composer: Composer) -> None:
    composer.set_writing(True)
    assert composer.button.accessibleName() == "停止"
    with qtbot.waitSignal(composer.stop_wanted):
        composer.button.click()


def test_it_grows_with_the_text_up_to_a_limit(qtbot: QtBot, composer: Composer) -> None:
    low = composer.field.height()
    composer.field.setPlainText("一\n二\n三\n四")
    assert composer.field.height() > low
    composer.field.setPlainText("\n" * 200)
    assert composer.field.height() <= 220


def test_a_long_paste_is_attached_and_sent_unchanged(qtbot: QtBot, composer: Composer) -> None:
    texts = sent(composer)
    data = QMimeData()
    long = "x" * (PASTE_CHARACTERS + 1)
    data.setText(long)
    composer.field.insertFromMimeData(data)
    assert composer.field.toPlainText() == ""
    QTest.keyClicks(composer.field, "sum it up")
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert texts == [f"{long}\n\nsum it up"]


def test_an_edit_can_be_given_up(qtbot: QtBot, composer: Composer) -> None:
    composer.edit("之前的话")
    assert composer.field.toPlainText() == "之前的话"
    with qtbot.waitSignal(composer.edit_cancelled):
        QTest.keyClick(composer.field, Qt.Key.Key_Escape)
    assert composer.field.toPlainText() == ""


def test_pasted_markup_is_text(composer: Composer) -> None:
    data = QMimeData()
    data.setHtml("<b>x</b>")
    data.setText("x")
    composer.field.insertFromMimeData(data)
    assert composer.field.toPlainText() == "x"
    assert not composer.field.acceptRichText()
