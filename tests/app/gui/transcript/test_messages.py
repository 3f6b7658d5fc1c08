"""One message as a widget."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.look import Look
from app.gui.transcript.blocks import CodeView, ProseView
from app.gui.transcript.footer import Footer
from app.gui.transcript.messages import AssistantMessage, MessageView, UserMessage
from app.gui.transcript.notice import Notice
from app.values import ChatMessage, ErrorBody
from tests.app.gui.fake_service import STATS, message

SOURCE = "开头\n\n```python\nprint(1)\n```\n\n" + "\n\n".join(f"第 {n} 段，" + "字" * 200 for n in range(20))


@pytest.fixture
def page(qtbot: QtBot, look: Look) -> QWidget:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(800, 600)
    page.show()
    return page


def segment_texts(view: QWidget) -> list[str]:
    views = [one for one in view.findChildren(ProseView) if one.isVisibleTo(view)]
    return [one.toPlainText() for one in views]


def visible_buttons(view: QWidget) -> set[str]:
    footer = view.findChild(Footer)
    assert footer is not None
    return {button.accessibleName() for button in footer.findChildren(QToolButton) if button.isVisibleTo(view)}


def show(view: MessageView, shown: ChatMessage, *, is_last: bool = True) -> None:
    view.show_message(shown, is_last=is_last)
    view.fit(700)


def test_a_streamed_answer_looks_like_one_shown_at_once(qtbot: QtBot, look: Look, page: QWidget) -> None:
    whole, streamed = AssistantMessage(look, page), AssistantMessage(look, page)
    answer = message("a", "assistant", SOURCE, stats=STATS)
    show(whole, answer)
    for end in range(0, len(SOURCE), 97):
        show(streamed, replace(answer, text=SOURCE[:end], state="streaming"))
    show(streamed, answer)
    assert "".join(segment_texts(streamed)) == "".join(segment_texts(whole))
    assert streamed.height() == pytest.approx(whole.height(), abs=24)
    assert len([one for one in streamed.findChildren(CodeView) if one.isVisibleTo(streamed)]) == 1


def test_final_segments_are_not_drawn_again(look: Look, page: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    view = AssistantMessage(look, page)
    answer = message("a", "assistant", SOURCE, state="streaming")
    show(view, answer)
    drawn: list[object] = []
    monkeypatch.setattr(ProseView, "show_segment", lambda self, segment: drawn.append(segment))
    show(view, replace(answer, text=SOURCE + " 又一个字"))
    assert len(drawn) == 1


def test_code_is_copied_whole(qtbot: QtBot, look: Look, page: QWidget) -> None:
    view = AssistantMessage(look, page)
    code = "data = '" + "x" * 9_000 + "'\n"
    show(view, message("a", "assistant", f"```python\n{code}```"))
    block = view.findChild(CodeView)
    assert block is not None
    with qtbot.waitSignal(block.copied):
        block.findChildren(QToolButton)[0].click()
    assert QApplication.clipboard().text() == code


def test_what_can_be_done_depends_on_the_message(look: Look, page: QWidget) -> None:
    view = AssistantMessage(look, page)
    answer = message("a", "assistant", "答", stats=STATS)
    show(view, answer)
    assert visible_buttons(view) == {"复制", "更多", "重新生成"}
    show(view, replace(answer, state="stopped"))
    assert visible_buttons(view) == {"复制", "更多", "重新生成", "接着写完"}
    show(view, replace(answer, state="stopped"), is_last=False)
    assert visible_buttons(view) == {"复制", "更多", "重新生成"}
    show(view, replace(answer, sibling_ids=("a0", "a")))
    assert visible_buttons(view) == {"复制", "更多", "重新生成", "上一个版本", "下一个版本"}
    user = UserMessage(look, page)
    show(user, message("u", "user", "问"))
    assert visible_buttons(user) == {"复制", "更多", "修改后重新发送"}


def test_an_interrupted_answer_says_why(look: Look, page: QWidget) -> None:
    view = AssistantMessage(look, page)
    error = ErrorBody(code="EngineDied", fields={"cause": "killed", "detail": ""})
    show(view, message("a", "assistant", "写到一半", state="interrupted", error=error))
    notices = [one for one in view.findChildren(Notice) if one.isVisibleTo(view)]
    assert len(notices) == 1
    assert "EngineDied" not in notices[0].accessibleName()
    assert len(notices[0].accessibleName()) > 8


def test_thoughts_open_and_close(qtbot: QtBot, look: Look, page: QWidget) -> None:
    view = AssistantMessage(look, page)
    show(view, message("a", "assistant", "答", reasoning="先想\n再答"))
    closed = view.height()
    with qtbot.waitSignal(view.height_changed):
        view.think_button.click()
    assert view.fit(700) > closed
    view.think_button.click()
    assert view.fit(700) == closed


def test_names_are_plain_text(look: Look, page: QWidget) -> None:
    view = AssistantMessage(look, page)
    show(view, replace(message("a", "assistant", ""), model="<img src=x><b>model</b>"))
    label = next(one for one in view.findChildren(QLabel) if "model" in one.text())
    assert label.textFormat() == label.textFormat().PlainText


def test_a_long_text_of_the_user_is_shown_in_part(look: Look, page: QWidget) -> None:
    view = UserMessage(look, page)
    show(view, message("u", "user", "\n".join(f"行 {n}" for n in range(500))))
    assert view.height() < 900
    assert view.long_notice.isVisibleTo(view)
