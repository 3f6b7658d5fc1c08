"""The window as a whole: what a person does from the first start on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.client.events import PlanChanged
from app.errors import RemoteError
from app.gui.dialogs import ExactPrompt
from app.gui.link import Ended, Starting
from app.gui.look import Look
from app.gui.session import Session
from app.gui.window import FIRST_SIZE, LEAST_SIZE, MainWindow
from app.values import ErrorBody, FetchStatus, PlanChange
from tests.app.gui.fake_service import ENGINE, MODEL, STATS, FakeService, message


def visible_texts(window: QWidget) -> str:
    widgets: list[QLabel | QPushButton | QToolButton] = [
        *window.findChildren(QLabel),
        *window.findChildren(QPushButton),
        *window.findChildren(QToolButton),
    ]
    return "\n".join(widget.text() for widget in widgets if widget.isVisible())


def buttons(widget: QWidget, name: str) -> list[QPushButton]:
    return [one for one in widget.findChildren(QPushButton) if one.isVisible() and one.text() == name]


def open_chat(qtbot: QtBot, session: Session, service: FakeService) -> None:
    service.keep(message("u1", "user", "问"), message("a1", "assistant", "答", parent="u1", stats=STATS))
    with qtbot.waitSignal(session.chat_replaced):
        session.open_chat("c1")


def test_it_is_shown_before_the_service_answers(qtbot: QtBot, look: Look) -> None:
    from app.gui.link import ServiceLink

    window = MainWindow(look, Session(ServiceLink(FakeService().connect)))
    qtbot.addWidget(window)
    window.show()
    assert "正在启动本机服务" in visible_texts(window)
    assert isinstance(window._session.state, Starting)


def test_the_first_start_ends_in_a_chat(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    service.local_models, service.engines = [], []
    session._refresh_status()
    qtbot.waitUntil(lambda: not session.engines)
    service.send_event("models", {})
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.first_run)
    texts = visible_texts(window)
    assert "491 MB" in texts and "Apache-2.0" in texts and "ModelScope" in texts
    qtbot.waitUntil(lambda: len(buttons(window.first_run, "下载")) == 2)
    buttons(window.first_run, "下载")[0].click()
    qtbot.waitUntil(lambda: ("fetch", "qwen-0.5b") in service.calls)
    transfer = FetchStatus(
        key="qwen-0.5b",
        state="transferring",
        received_bytes=211_000_000,
        total_bytes=491_400_064,
        bytes_per_second=12_400_000,
        source="ModelScope",
    )
    service.send_event("fetch", transfer)
    qtbot.waitUntil(
        lambda: "43 % · 211 MB / 491 MB · 12.4 MB/s · 还需 23 秒 · 来自 ModelScope" in visible_texts(window)
    )
    service.local_models = [MODEL]
    service.send_event("fetch", replace(transfer, state="done"))
    service.send_event("models", {})
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.chat_page)
    qtbot.waitUntil(lambda: ("load", MODEL.id) in service.calls)
    assert "想聊点什么" in visible_texts(window)


def test_a_download_can_be_cancelled_and_its_failure_is_said(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    service.local_models = []
    service.send_event("models", {})
    qtbot.waitUntil(lambda: len(buttons(window.first_run, "下载")) == 2)
    buttons(window.first_run, "下载")[0].click()
    qtbot.waitUntil(lambda: len(buttons(window.first_run, "取消")) == 1)
    buttons(window.first_run, "取消")[0].click()
    qtbot.waitUntil(lambda: ("cancel", "qwen-0.5b") in service.calls)
    failed = FetchStatus(
        key="qwen-0.5b",
        state="failed",
        received_bytes=1,
        total_bytes=2,
        bytes_per_second=0,
        source="",
        error=ErrorBody(code="DataFolderUnusable", fields={"path": "/data", "reason": "full"}),
    )
    service.send_event("fetch", failed)
    qtbot.waitUntil(lambda: "/data" in visible_texts(window.first_run))


def test_a_question_is_answered(qtbot: QtBot, window: MainWindow, session: Session, service: FakeService) -> None:
    field = window.chat_page.composer.field
    QTest.keyClicks(field, "hello")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.writing is not None)
    assert field.toPlainText() == ""
    answer = session.messages[1]
    service.say(answer.id, "**你好**！")
    service.put(replace(service.kept["c1"].messages[1], state="complete", stats=STATS))
    qtbot.waitUntil(lambda: session.writing is None)
    qtbot.waitUntil(lambda: "412 词元 · 41.8 词元/秒 · 首字 0.34 秒" in visible_texts(window))


def test_a_refused_message_keeps_the_text_and_says_why(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    service.refusal = RemoteError(code="ChatMissing", fields={"chat_id": "c9"}, http_status=404)
    composer = window.chat_page.composer
    composer.suggest("别丢了我")
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(window.chat_page.banner.isVisible)
    assert composer.field.toPlainText() == "别丢了我"
    assert composer.button.isEnabled()


def test_an_edit_is_sent_as_another_version(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    open_chat(qtbot, session, service)
    window.chat_page.transcript.wanted.emit("edit", session.messages[0])
    composer = window.chat_page.composer
    assert composer.field.toPlainText() == "问"
    composer.field.setPlainText("改问")
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: ("send", ("c1", "改问", None)) in service.calls)
    qtbot.waitUntil(lambda: [one.text for one in session.messages] == ["改问", ""])


def test_versions_are_switched(qtbot: QtBot, window: MainWindow, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    shown = replace(session.messages[1], sibling_ids=("a0", "a1"))
    window.chat_page.transcript.wanted.emit("previous", shown)
    qtbot.waitUntil(lambda: ("branch", "a0") in service.calls)


def test_the_exact_prompt_is_shown(qtbot: QtBot, window: MainWindow, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    window.chat_page.transcript.wanted.emit("prompt", session.messages[1])
    qtbot.waitUntil(lambda: window.findChild(ExactPrompt) is not None)
    assert ("message_prompt", session.messages[1].id) in service.calls
    dialog = window.findChild(ExactPrompt)
    assert dialog is not None
    dialog.close()


def test_a_stopped_service_can_be_started_again(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    service.send_event("bye", {})
    service.end()
    qtbot.waitUntil(lambda: isinstance(session.state, Ended))
    notice = window.chat_page.banner.notice
    assert notice.button.text() == "重新启动"
    assert not window.chat_page.composer.button.isEnabled()
    notice.button.click()
    qtbot.waitUntil(lambda: session.online)
    qtbot.waitUntil(window.chat_page.banner.isHidden)


def test_what_was_lowered_for_want_of_memory_is_said_until_it_is_read(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    change = PlanChange(kind="context", fields={"before_tokens": 8192, "after_tokens": 4096})
    service.send_event("plan_changed", PlanChanged(model=ENGINE.model, name=ENGINE.name, change=change))
    service.send_event("engine", replace(ENGINE, changes=(change,)))
    banner = window.chat_page.banner
    qtbot.waitUntil(banner.isVisible)
    assert "4,096" in banner.notice.accessibleName()
    banner.notice.button.click()
    assert banner.isHidden()
    service.send_event("engine", replace(ENGINE, changes=(change,), tokens_per_second=1.0))
    qtbot.waitUntil(lambda: session.engine is not None and session.engine.tokens_per_second == 1.0)
    assert banner.isHidden()


def test_state_speed_and_context_are_shown(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    open_chat(qtbot, session, service)
    qtbot.waitUntil(lambda: "上下文 3K / 8K" in visible_texts(window))
    assert "41.8 词元/秒" in visible_texts(window)
    service.send_event("engine", replace(ENGINE, state="loading", load_fraction=0.42))
    qtbot.waitUntil(lambda: "加载中 42%" in visible_texts(window))


def test_answers_name_their_model(qtbot: QtBot, window: MainWindow, session: Session, service: FakeService) -> None:
    service.keep(message("u1", "user", "问"), replace(message("a1", "assistant", "答", parent="u1"), model=MODEL.id))
    with qtbot.waitSignal(session.chat_replaced):
        session.open_chat("c1")
    assert MODEL.name in visible_texts(window.chat_page)
    assert MODEL.id not in visible_texts(window.chat_page)


def test_the_language_changes_at_once(qtbot: QtBot, window: MainWindow, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    assert "新对话" in visible_texts(window)
    window.header.language_wanted.emit("en")
    texts = visible_texts(window)
    assert "New chat" in texts and "first token 0.34 s" in texts
    # A Chinese chat keeps its words; the window itself says no Chinese but its second name and the way back.
    own = texts.replace("量力", "").replace(" 中", "")
    own = own.replace("标题", "").replace("问", "").replace("答", "")
    assert not [character for character in own if "\u4e00" <= character <= "\u9fff"]
    qtbot.waitUntil(lambda: ("settings", {"language": "en"}) in service.calls)


def test_the_theme_changes_at_once(qtbot: QtBot, window: MainWindow, look: Look, service: FakeService) -> None:
    window.header.theme_wanted.emit("dark")
    ground = window.grab().toImage().pixelColor(window.width() // 2, 120).name()
    assert ground == look.theme.ground.lower()
    qtbot.waitUntil(lambda: ("settings", {"theme": "dark"}) in service.calls)


def test_a_small_window_keeps_the_models_name(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    qtbot.waitUntil(lambda: session.engine is not None)
    window.resize(LEAST_SIZE)
    pill = window.header.pill
    qtbot.waitUntil(lambda: pill.width() >= pill.minimumSizeHint().width())
    assert not window.header._speed.isVisible()
    window.resize(FIRST_SIZE)
    assert window.header._speed.isVisible()


def test_shortcuts(qtbot: QtBot, window: MainWindow, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert session.chat is None
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.sidebar.search.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert not window.sidebar.isVisible() and window.header.show_side.isVisible()


def test_chats_are_found_renamed_and_deleted(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, title in enumerate(("会议记录", "Rename photos"), 1):
        service.send_event("chat", service.keep(chat_id=f"c{number}", title=title).summary)
    model = window.sidebar.list.model()
    qtbot.waitUntil(lambda: model.rowCount() == 2)
    window.sidebar.search.setText("photos")
    assert model.rowCount() == 1
    model.setData(model.index(0, 0), "改名")
    qtbot.waitUntil(lambda: ("update", ("c2", "改名", None)) in service.calls)
    window.sidebar.search.clear()
    monkeypatch.setattr("app.gui.dialogs.ask_to_delete", lambda *_: False)
    window.sidebar.delete_wanted.emit("c1", "会议记录")
    monkeypatch.setattr("app.gui.dialogs.ask_to_delete", lambda *_: True)
    window.sidebar.delete_wanted.emit("c1", "会议记录")
    qtbot.waitUntil(lambda: [call for call in service.calls if call[0] == "delete"] == [("delete", "c1")])


def test_a_file_is_imported_and_used(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.dialogs.choose_gguf", lambda *_: "/tmp/模型.gguf")
    window.header.import_wanted.emit()
    qtbot.waitUntil(lambda: ("import", "/tmp/模型.gguf") in service.calls)
    qtbot.waitUntil(lambda: any(call[0] == "load" for call in service.calls))


def test_every_focusable_widget_has_a_name(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    open_chat(qtbot, session, service)
    nameless = []
    for page in (window.chat_page, window.first_run):
        window.pages.setCurrentWidget(page)
        for widget in window.findChildren(QWidget):
            if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                interface = QAccessible.queryAccessibleInterface(widget)
                if not interface.text(QAccessible.Text.Name):
                    nameless.append(widget)
    assert nameless == []


def test_the_tab_key_goes_round(qtbot: QtBot, window: MainWindow) -> None:
    window.activateWindow()
    window.chat_page.composer.field.setFocus()
    seen: list[QWidget] = []
    for _ in range(40):
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert window.sidebar.search in seen
    assert seen.count(window.chat_page.composer.field) >= 2
    assert not any(isinstance(one, QLineEdit) and one is not window.sidebar.search for one in seen)
