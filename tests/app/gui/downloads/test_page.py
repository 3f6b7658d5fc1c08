"""The page of downloads: what a person sees and does there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QAccessible, QDropEvent
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui.dialogs import Question
from app.gui.downloads.card import DRAG_FORMAT, DownloadCard
from app.gui.downloads.limits import SOURCES, HoursDialog, ProxiesDialog, SpeedDialog
from app.gui.downloads.page import DownloadsPage
from app.gui.look import Look
from app.gui.session import Session
from app.values import FetchStatus
from tests.app.gui.downloads.queue_service import FAILED, TRANSFERRING, QueueService, download
from tests.app.gui.fake_service import MODEL
from tests.app.gui.test_window import visible_texts


def card(page: DownloadsPage, download_id: str) -> DownloadCard:
    return page.queue.cards.get(download_id) or page.ended.cards[download_id]


@pytest.fixture
def full(qtbot: QtBot, page: DownloadsPage, service: QueueService) -> DownloadsPage:
    """One of each kind that differs."""
    for status in (TRANSFERRING, download(2), download(3, "paused"), FAILED, download(5, "done")):
        service.show(status)
    qtbot.waitUntil(lambda: len(page.queue.cards) == 4 and len(page.ended.cards) == 1)
    return page


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """What the user answers to questions, one after another; each must be asked."""
    wanted: list[bool] = []

    def exec_(self: Question) -> QDialog.DialogCode:
        return QDialog.DialogCode.Accepted if wanted.pop(0) else QDialog.DialogCode.Rejected

    monkeypatch.setattr(Question, "exec", exec_)
    yield wanted
    assert wanted == []


def test_an_empty_page_says_what_to_do(qtbot: QtBot, page: DownloadsPage) -> None:
    assert "现在没有下载任务" in visible_texts(page)
    with qtbot.waitSignal(page.discover_wanted):
        page.discover.click()


def test_each_download_says_what_it_does(full: DownloadsPage) -> None:
    texts = visible_texts(full)
    for part in ("下载中", "12.4 MB/s", "还需 3 分 22 秒", "来自 ModelScope · 4 个连接", "50%", "排队中", "已暂停"):
        assert part in texts
    assert "暂时连不上" in visible_texts(card(full, "d4"))
    assert "3 分 22 秒" in card(full, "d1").accessibleName()
    assert "2 个任务 · 12.4 MB/s · 还剩 7.50 GB" in texts
    assert full.watch.running == 2


def test_pause_resume_and_retry(qtbot: QtBot, full: DownloadsPage, service: QueueService) -> None:
    for one, call in (("d1", "pause"), ("d3", "resume"), ("d4", "resume")):
        card(full, one).toggle.click()
        qtbot.waitUntil(lambda call=call, one=one: (call, one) in service.calls)  # type: ignore[misc]
    qtbot.waitUntil(lambda: full.watch.downloads[0].state == "paused")


def test_cancelling_asks_only_when_bytes_would_be_lost(
    qtbot: QtBot, full: DownloadsPage, service: QueueService, answers: list[bool]
) -> None:
    answers.append(False)
    card(full, "d1").cancel.click()
    assert "cancel_download" not in [name for name, _ in service.calls]
    answers.append(True)
    card(full, "d1").cancel.click()
    qtbot.waitUntil(lambda: "d1" not in full.queue.cards)
    card(full, "d2").cancel.click()
    qtbot.waitUntil(lambda: "d2" not in full.queue.cards)
    full.clear.click()
    qtbot.waitUntil(lambda: full.ended.cards == {} and not full.clear.isVisible())


def test_order_by_buttons(qtbot: QtBot, full: DownloadsPage, service: QueueService) -> None:
    assert not card(full, "d1").up.isEnabled() and not card(full, "d4").down.isEnabled()
    card(full, "d1").down.click()
    qtbot.waitUntil(lambda: [one.id for one in service.queue][:2] == ["d2", "d1"])
    card(full, "d3").up.click()
    qtbot.waitUntil(lambda: [one.id for one in service.queue][:3] == ["d2", "d3", "d1"])
    assert list(full.queue.cards) == ["d2", "d3", "d1", "d4"]

    def tops() -> list[int]:
        return [one.y() for one in full.queue.cards.values()]

    qtbot.waitUntil(lambda: tops() == sorted(tops()))


def test_order_by_dragging(qtbot: QtBot, full: DownloadsPage, service: QueueService) -> None:
    carried = QMimeData()
    carried.setData(DRAG_FORMAT, b"d3")
    above = QPointF(20, card(full, "d1").geometry().top() + 2)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    full.queue.dropEvent(QDropEvent(above, Qt.DropAction.MoveAction, carried, buttons, keys))
    qtbot.waitUntil(lambda: [one.id for one in service.queue][:3] == ["d3", "d1", "d2"])


def test_a_finished_one_leads_to_its_chat(qtbot: QtBot, full: DownloadsPage, service: QueueService) -> None:
    assert not card(full, "d5").chat.isVisible()
    service.local_models.append(replace(MODEL, id="new", path="/m/Qwen/Qwen3-5B-GGUF/Qwen3-5B-Q4_K_M.gguf"))
    service.send_event("models", {})
    qtbot.waitUntil(card(full, "d5").chat.isVisible)
    with qtbot.waitSignal(full.chat_wanted) as wanted:
        card(full, "d5").chat.click()
    assert wanted.args == ["new"] and card(full, "d5").folder.isVisible()


def test_a_refusal_is_said(qtbot: QtBot, full: DownloadsPage, service: QueueService) -> None:
    service.refusal = RemoteError(code="DownloadMissing", fields={"id": "d1"}, http_status=404)
    card(full, "d1").toggle.click()
    qtbot.waitUntil(full.trouble.isVisible)
    assert "没有编号为 d1 的下载任务" in visible_texts(full.trouble)
    full.trouble.button.click()
    assert not full.trouble.isVisible()


def test_starter_models_are_shown_too(qtbot: QtBot, page: DownloadsPage, service: QueueService) -> None:
    fetch = FetchStatus(
        key="qwen-0.5b",
        state="transferring",
        received_bytes=245_700_032,
        total_bytes=491_400_064,
        bytes_per_second=10_000_000,
        source="ModelScope",
    )
    service.send_event("fetch", fetch)
    qtbot.waitUntil(lambda: "starter:qwen-0.5b" in page.queue.cards)
    starter = card(page, "starter:qwen-0.5b")
    assert "Qwen2.5-Coder-0.5B-Instruct" in starter.accessibleName() and "还需 25 秒" in starter.accessibleName()
    assert not starter.toggle.isVisible() and not starter.up.isVisible() and page.watch.running == 1
    starter.cancel.click()
    qtbot.waitUntil(lambda: ("cancel", "qwen-0.5b") in service.calls)


def test_lost_events_are_made_up_for(qtbot: QtBot, page: DownloadsPage, service: QueueService) -> None:
    service.queue.append(TRANSFERRING)
    service.send_event("gap", {})
    qtbot.waitUntil(lambda: "d1" in page.queue.cards)


def test_the_watch_remembers_since_when_a_source_is_waited_for(
    qtbot: QtBot, page: DownloadsPage, service: QueueService
) -> None:
    service.show(download(1, "waiting"))
    qtbot.waitUntil(lambda: page.watch.waiting_since("d1") is not None)
    since = page.watch.waiting_since("d1")
    service.show(download(1, "waiting", received_bytes=1))
    qtbot.waitUntil(lambda: page.watch.downloads[0].received_bytes == 1)
    assert page.watch.waiting_since("d1") == since
    service.show(TRANSFERRING)
    qtbot.waitUntil(lambda: page.watch.waiting_since("d1") is None)


# ---- limits


def test_usual_speed_limits(qtbot: QtBot, page: DownloadsPage, service: QueueService) -> None:
    menu = page.foot.speed_menu()
    next(action for action in menu.actions() if action.text() == "5 MB/s").trigger()
    qtbot.waitUntil(lambda: page.foot.speed.text() == "限速：5.00 MB/s")
    assert service.kept_settings == {"download_bytes_per_second": 5_000_000}


def test_any_speed_limit_with_errors_at_the_field(
    qtbot: QtBot, look: Look, page: DownloadsPage, session: Session, service: QueueService
) -> None:
    dialog = SpeedDialog(look, session, page)
    dialog.open()
    for nonsense in ("fast", "inf", "nan"):
        dialog.field.setText(nonsense)
        dialog.yes.click()
        assert dialog.problem.isVisible() and dialog.field.property("tone") == "bad"
    service.setting_refusal = RemoteError(
        code="SettingInvalid",
        fields={"name": "download_bytes_per_second", "value": "3", "expected": "0 | 32768 …"},
        http_status=422,
    )
    dialog.field.setText("0.001")
    dialog.yes.click()
    qtbot.waitUntil(lambda: "0 | 32768" in dialog.problem.text() and dialog.yes.isEnabled())
    service.setting_refusal = None
    dialog.field.setText("3,5")
    dialog.yes.click()
    qtbot.waitUntil(lambda: not dialog.isVisible())
    assert service.kept_settings == {"download_bytes_per_second": 3_500_000}


def test_hours(qtbot: QtBot, look: Look, page: DownloadsPage, session: Session, service: QueueService) -> None:
    dialog = HoursDialog(look, session, page)
    dialog.open()
    dialog.begin.setText("25:00")
    dialog.yes.click()
    assert "22:30" in dialog.problem.text() and dialog.focusWidget() is dialog.begin
    dialog.begin.setText("7：00")
    dialog.end.setText("07:00")
    dialog.yes.click()
    assert "不能是同一个时间" in dialog.problem.text()
    dialog.begin.setText("22:30")
    dialog.yes.click()
    qtbot.waitUntil(lambda: page.foot.hours.text() == "时段：22:30–07:00")
    again = HoursDialog(look, session, page)
    assert again.begin.text() == "22:30"
    again.always.click()
    qtbot.waitUntil(lambda: page.foot.hours.text() == "时段：全天")
    assert service.kept_settings["download_hours"] == ""


def test_proxies(qtbot: QtBot, look: Look, page: DownloadsPage, session: Session, service: QueueService) -> None:
    dialog = ProxiesDialog(look, session, page)
    dialog.open()
    dialog.choices["ModelScope"]["none"].click()
    dialog.choices["Hugging Face"]["address"].click()
    dialog.yes.click()
    assert dialog.problem.isVisible() and dialog.focusWidget() is dialog.addresses["Hugging Face"]
    dialog.addresses["Hugging Face"].setText("http://127.0.0.1:7890")
    dialog.yes.click()
    qtbot.waitUntil(lambda: page.foot.proxies.text() == "代理：单独设置了 2 个")
    wanted = {"ModelScope": "none", "Hugging Face": "http://127.0.0.1:7890"}
    assert service.kept_settings == {"download_proxies": wanted}
    assert ProxiesDialog(look, session, page).choices["ModelScope"]["none"].isChecked()


# ---- for everybody, in every size


def test_whatever_takes_the_focus_has_a_name(full: DownloadsPage) -> None:
    nameless = []
    for widget in full.findChildren(QWidget):
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            interface = QAccessible.queryAccessibleInterface(widget)
            if not interface.text(QAccessible.Text.Name):
                nameless.append(widget)
    assert nameless == []


def cut_off(page: QWidget) -> list[str]:
    worded: list[QLabel | QPushButton] = [*page.findChildren(QLabel), *page.findChildren(QPushButton)]
    shown = [widget for widget in worded if widget.isVisible() and widget.text()]
    return [widget.text() for widget in shown if widget.width() + 1 < widget.minimumSizeHint().width()]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off(
    qtbot: QtBot, full: DownloadsPage, service: QueueService, look: Look, language: str
) -> None:
    look.speak("zh" if language == "zh" else "en")
    proxies = dict.fromkeys(SOURCES, "none")
    service.update_settings(
        download_bytes_per_second=10_000_000, download_hours="22:30-07:00", download_proxies=proxies
    )
    qtbot.waitUntil(lambda: "4" in full.foot.proxies.text())
    for width in (900, 480):
        full.resize(width, 700)
        qtbot.waitUntil(lambda: cut_off(full) == [])
        assert all(one.width() <= full.width() for one in full.queue.cards.values())
