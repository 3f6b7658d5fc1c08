"""The page as a person uses it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAccessible, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from app.catalogue_values import FamilyProblem
from app.errors import RemoteError
from app.gui.dialogs import Question
from app.gui.discover.card import Part
from app.gui.discover.page import DiscoverPage
from app.gui.discover.panel import DetailPanel
from app.gui.look import Look
from tests.app.gui.discover.discover_service import MODELS, DiscoverService, status
from tests.app.gui.fake_service import MODEL, SECOND_MODEL
from tests.app.gui.plan_samples import sample_plans
from tests.app.gui.test_window import visible_texts


def place_of(page: DiscoverPage, model_id: str, part: Part | None = None) -> QPoint:
    """Where to click on a card of the list."""
    index = page.cards.index(page.cards.row_of(model_id))
    page.list.scrollTo(index)
    where = page.list.painter.places_of(page.list.visualRect(index), index)
    return where.avatar.center() if part is None else dict(where.presses)[part].center()


def click(page: DiscoverPage, model_id: str, part: Part | None = None) -> None:
    QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, pos=place_of(page, model_id, part))


def opened(qtbot: QtBot, page: DiscoverPage, target: str) -> DetailPanel:
    """The panel with all it has to say of a target."""
    page.look_at(target)
    qtbot.waitUntil(lambda: page.choosing.target == target and not page.choosing.reading)
    panel = page.panel
    assert panel is not None
    qtbot.waitUntil(lambda: page.choosing.model is None or page.choosing.detail is not None)
    return panel


def test_it_lists_the_models_and_says_what_this_computer_has(qtbot: QtBot, page: DiscoverPage) -> None:
    qtbot.waitUntil(lambda: page.pill.accessibleName() == "RTX 4060 · 8.59 GB 显存 + 16.5 GB 内存")
    texts = visible_texts(page)
    assert "发现模型" in texts and "10 个模型 · 另有 1 个未经核实" in texts and "模型目录 2026-11-20" in texts
    assert page.cards.rowCount() == 10 and page.panel is None


def test_a_search_in_chinese_narrows_the_list(qtbot: QtBot, page: DiscoverPage) -> None:
    page.field.setText("智谱")
    qtbot.waitUntil(lambda: page.cards.rowCount() == 2)
    assert page.filters.sort_button.text() == "按匹配程度"
    page.field.setText("没有这个")
    qtbot.waitUntil(page.nothing.isVisible)
    assert not page.list.isVisible() and "没有找到" in visible_texts(page)
    page.nothing.button.click()
    qtbot.waitUntil(lambda: page.cards.rowCount() == 10)
    assert page.field.text() == "" and page.list.isVisible()


def test_chips_filter_and_show_their_state(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    page.filters.abilities["code"].click()
    qtbot.waitUntil(lambda: page.cards.rowCount() == 1)
    assert page.filters.abilities["code"].isChecked() and not page.filters.all.isChecked()
    page.filters.all.click()
    qtbot.waitUntil(lambda: page.cards.rowCount() == 10)
    assert page.filters.all.isChecked()
    page.filters.all.click()
    assert page.filters.all.isChecked()
    page.filters.size_menu().actions()[1].trigger()
    qtbot.waitUntil(lambda: page.cards.rowCount() == 3)
    assert page.filters.size_button.text() == "参数量：20 亿以下" and page.filters.size_button.isChecked()
    page.filters.commercial.click()
    page.filters.here.click()
    qtbot.waitUntil(lambda: page.cards.rowCount() == 1)


def test_what_is_not_confirmed_is_shown_on_demand(qtbot: QtBot, page: DiscoverPage) -> None:
    page.filters.unconfirmed.click()
    qtbot.waitUntil(lambda: page.cards.rowCount() == 11)
    assert page.filters.unconfirmed.text() == "隐藏未经核实的"
    assert "spark-x2" in [one.id for one in page.finding.models]


def test_a_card_opens_the_panel_beside_the_list(qtbot: QtBot, page: DiscoverPage) -> None:
    click(page, "qwen3-8b")
    qtbot.waitUntil(lambda: page.choosing.plans is not None and page.choosing.detail is not None)
    panel = page.panel
    assert panel is not None and panel.isVisible() and page.list.isVisible()
    texts = visible_texts(panel)
    for part in (
        "通义千问 Qwen3-8B",
        "可商用",
        "可以商用、修改和再分发",
        "40,960 词元",
        "ModelScope",
        "未经核实",
        "对话",
    ):
        assert part in texts
    tiles = [tile for tile in panel.quantizations.tiles if tile.isVisible()]
    assert [tile.quantization for tile in tiles][:4] == ["Q4_K_M", "Q5_K_M", "Q8_0", "F16"]
    assert tiles[0].isChecked() and "5.03 GB" in tiles[0].accessibleName() and "词元/秒" in tiles[0].accessibleName()
    assert panel.foot.download.text().strip() == "下载 Q4_K_M（5.03 GB）"
    panel.back.click()
    assert not panel.isVisible() and page.list.hasFocus()


def test_the_chosen_quantization_is_downloaded_from_the_chosen_source(
    qtbot: QtBot, page: DiscoverPage, service: DiscoverService
) -> None:
    panel = opened(qtbot, page, "qwen3-8b")
    panel.quantizations.tiles[2].click()
    menu = panel.foot.sources_menu()
    assert [one.text() for one in menu.actions()] == ["自动选最快的", "ModelScope", "Hugging Face", "hf-mirror"]
    menu.actions()[1].trigger()
    assert panel.foot.source.text() == "下载来源：ModelScope"
    panel.foot.download.click()
    qtbot.waitUntil(lambda: ("add_download", ("qwen3-8b:Q8_0", ("modelscope",))) in service.calls)
    qtbot.waitUntil(lambda: "排队中" in visible_texts(panel.foot))
    assert not panel.foot.download.isVisible()
    service.send_event("download", status("qwen3-8b:Q8_0"))
    qtbot.waitUntil(lambda: "63% · 剩 80 秒" in visible_texts(panel.foot))
    assert "28.9 MB/s · ModelScope" in visible_texts(panel.foot)
    panel.foot.turn.click()
    qtbot.waitUntil(lambda: ("pause_download", "d1") in service.calls)
    with qtbot.waitSignal(page.downloads_wanted):
        panel.foot.all.click()


def test_a_card_downloads_with_one_press(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    click(page, "r1-14b", Part.DOWNLOAD)
    qtbot.waitUntil(lambda: ("add_download", ("r1-14b:Q4_K_M", ())) in service.calls)
    assert page.panel is None
    qtbot.waitUntil(lambda: page.fetching.of("r1-14b") is not None)
    service.send_event("download", status("r1-14b:Q4_K_M"))
    qtbot.waitUntil(lambda: (one := page.fetching.of("r1-14b")) is not None and one.state == "transferring")
    click(page, "r1-14b", Part.PAUSE)
    qtbot.waitUntil(lambda: ("pause_download", "d1") in service.calls)


def test_a_licence_with_a_form_is_said_before_the_download(
    qtbot: QtBot, page: DiscoverPage, service: DiscoverService
) -> None:
    click(page, "glm4-9b", Part.DOWNLOAD)
    qtbot.waitUntil(lambda: page.choosing.plans is not None)
    panel = page.panel
    assert panel is not None and "用于商业之前，要先向厂商登记" in visible_texts(panel.foot)
    assert "商用须登记" in visible_texts(panel) and "add_download" not in [name for name, _ in service.calls]
    panel.foot.download.click()
    qtbot.waitUntil(lambda: ("add_download", ("glm4-9b:Q4_K_M", ())) in service.calls)


def test_what_is_here_begins_a_chat(qtbot: QtBot, page: DiscoverPage) -> None:
    with qtbot.waitSignal(page.chat_wanted) as wanted:
        click(page, "qwen2.5-coder-1.5b", Part.CHAT)
    assert wanted.args == [SECOND_MODEL.id]
    panel = opened(qtbot, page, "qwen2.5-coder-1.5b")
    assert panel.foot.chat.isVisible() and not panel.foot.download.isVisible()
    with qtbot.waitSignal(page.chat_wanted):
        panel.foot.chat.click()


def test_what_is_too_large_leads_to_what_runs(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    service.plan_answer = lambda *asked: replace(sample_plans(*asked), best=None)
    panel = opened(qtbot, page, "qwen3-32b")
    assert panel.better.accessibleName() == "这台电脑更适合 通义千问 Qwen3-30B-A3B-Instruct-2507"
    panel.better.button.click()
    assert page.choosing.target == "qwen3-30b-a3b"
    click(page, "qwen3-32b", Part.ALTERNATIVE)
    assert page.choosing.target == "qwen3-30b-a3b"


def test_what_has_a_successor_says_so_and_leads_there(qtbot: QtBot, page: DiscoverPage) -> None:
    panel = opened(qtbot, page, "chatglm-6b")
    assert "第一代无法转换成 GGUF" in visible_texts(panel) and not panel.foot.isVisible()
    assert not panel.quantizations.isVisible()
    panel.state.button.click()
    assert page.choosing.target == "glm4-9b"


def test_a_successor_that_is_filtered_out_is_asked_for(
    qtbot: QtBot, page: DiscoverPage, service: DiscoverService
) -> None:
    page.field.setText("chatglm")
    qtbot.waitUntil(lambda: page.cards.rowCount() == 1)
    click(page, "chatglm-6b", Part.ALTERNATIVE)
    qtbot.waitUntil(lambda: page.choosing.target == "glm4-9b")
    assert page.panel is not None and "智谱 GLM-4-9B" in visible_texts(page.panel)


def test_a_pasted_repository_is_offered_and_planned(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    page.field.setText("hf.co/Qwen/Qwen3-8B-GGUF")
    assert page.pasted.isVisible() and "下载这个仓库" in visible_texts(page.pasted)
    QTest.keyClick(page.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.choosing.plans is not None)
    panel = page.panel
    assert panel is not None and not panel.licence.isVisible() and "模型站上的仓库" in visible_texts(panel)
    panel.foot.download.click()
    qtbot.waitUntil(lambda: ("add_download", ("hf.co/Qwen/Qwen3-8B-GGUF:Q4_K_M", ())) in service.calls)
    page.field.setText("qwen")
    assert not page.pasted.isVisible()


def test_a_hub_that_cannot_be_reached_is_said(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    service.plans_refusal = RemoteError(code="RepositoryWithoutGguf", fields={"repository": "a/b"}, http_status=404)
    panel = opened(qtbot, page, "a/b")
    assert panel.plans_trouble.isVisible() and "a/b" in panel.plans_trouble.accessibleName()
    service.plans_refusal = None
    panel.plans_trouble.button.click()
    qtbot.waitUntil(lambda: page.choosing.plans is not None)
    assert not panel.plans_trouble.isVisible()


def test_an_old_listing_is_labelled_with_its_age(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    service.plan_answer = lambda *asked: replace(sample_plans(*asked), listing_age_seconds=7_300.0)
    panel = opened(qtbot, page, "a/b")
    assert panel.old_listing.isVisible() and "2" in panel.old_listing.accessibleName()


def test_the_plan_of_what_is_chosen_can_be_seen(qtbot: QtBot, page: DiscoverPage) -> None:
    panel = opened(qtbot, page, "qwen3-8b")
    with qtbot.waitSignal(page.plan_wanted) as wanted:
        panel.plan.click()
    assert wanted.args == ["qwen3-8b"]


def test_the_keyboard_is_enough(qtbot: QtBot, page: DiscoverPage) -> None:
    page.activateWindow()
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Slash)
    qtbot.waitUntil(page.field.hasFocus)
    QTest.keyClick(page.field, Qt.Key.Key_Slash)
    assert page.field.text() == "/"
    page.field.clear()
    QTest.keyClick(page.field, Qt.Key.Key_Down)
    assert page.list.hasFocus() and page.list.current_id() == page.finding.models[0].id
    QTest.keyClick(page.list, Qt.Key.Key_Down)
    assert page.panel is None
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert page.choosing.target == page.finding.models[1].id
    QTest.keyClick(page.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: page.choosing.target == page.finding.models[2].id)  # the open panel follows
    QTest.keyClick(page.list, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page.field.hasFocus()


def test_the_list_stays_where_it_is_until_something_else_is_looked_for(
    qtbot: QtBot, page: DiscoverPage, service: DiscoverService
) -> None:
    bar = page.list.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 300)
    bar.setValue(300)
    service.catalogue_models = (*MODELS[:1], *MODELS[2:])
    with qtbot.waitSignal(page.finding.changed):
        service.send_event("models", {})
    assert page.cards.rowCount() == 9 and bar.value() == 300
    with qtbot.waitSignal(page.finding.changed):
        page.filters.abilities["chat"].click()
    assert bar.value() == 0


def test_every_control_has_a_name(qtbot: QtBot, page: DiscoverPage) -> None:
    opened(qtbot, page, "qwen3-8b")
    for control in (*page.findChildren(QPushButton), *page.findChildren(QToolButton)):
        if control.isVisible() and control.focusPolicy() & Qt.FocusPolicy.TabFocus:
            assert control.accessibleName() or control.text(), control
    assert page.field.accessibleName() and page.list.accessibleName()
    first = page.cards.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Qwen2.5-Coder-1.5B" in first and "合适" in first
    assert QAccessible.queryAccessibleInterface(page.list) is not None


def test_a_narrow_window_shows_one_side(qtbot: QtBot, page: DiscoverPage) -> None:
    page.resize(480, 460)
    panel = opened(qtbot, page, "qwen3-8b")
    assert panel.isVisible() and not page.list.isVisible()
    assert panel.back.accessibleName() == "返回列表"
    panel.back.click()
    assert page.list.isVisible() and not panel.isVisible() and "发现模型" not in visible_texts(page)


def test_files_are_imported_when_they_are_dropped(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/tmp/模型 一.gguf"), QUrl.fromLocalFile("/tmp/a.txt")])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    page.dropEvent(event)
    qtbot.waitUntil(
        lambda: "已导入 Qwen2.5-Coder-1.5B-Instruct。" in visible_texts(page) or page.drop.button.isVisible()
    )
    assert [what for name, what in service.calls if name == "import"] == ["/tmp/模型 一.gguf"]
    with qtbot.waitSignal(page.chat_wanted) as wanted:
        page.drop.button.click()
    assert wanted.args == [SECOND_MODEL.id] and not page.drop.isVisible()


def test_cancelling_asks_before_what_arrived_is_deleted(
    qtbot: QtBot, page: DiscoverPage, service: DiscoverService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.downloads_now = [status("glm4-9b:Q4_K_M")]
    page.fetching.refresh()
    qtbot.waitUntil(lambda: page.fetching.of("glm4-9b") is not None)
    monkeypatch.setattr(Question, "exec", lambda self: Question.DialogCode.Rejected)
    click(page, "glm4-9b", Part.CANCEL)
    assert page.fetching.of("glm4-9b") is not None
    monkeypatch.setattr(Question, "exec", lambda self: Question.DialogCode.Accepted)
    click(page, "glm4-9b", Part.CANCEL)
    qtbot.waitUntil(lambda: page.fetching.of("glm4-9b") is None)
    assert ("cancel_download", "d1") in service.calls


def test_updates_are_looked_for_only_after_consent(
    qtbot: QtBot, page: DiscoverPage, service: DiscoverService, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: page.line.update_state is not None)
    question = page.line.ask_for_consent()
    assert "不发送你的对话" in visible_texts_of(question)
    monkeypatch.setattr(Question, "exec", lambda self: Question.DialogCode.Rejected)
    page.line.button.click()
    assert "check_catalogue" not in [name for name, _ in service.calls]
    monkeypatch.setattr(Question, "exec", lambda self: Question.DialogCode.Accepted)
    page.line.button.click()
    qtbot.waitUntil(lambda: "模型目录 2026-11-20 · 已是最新" in visible_texts(page))
    assert ("settings", {"catalogue_updates": True}) in service.calls
    monkeypatch.setattr(Question, "exec", lambda self: pytest.fail("asked twice"))
    page.line.button.click()


def test_an_entry_of_the_users_own_that_is_wrong_is_said(qtbot: QtBot, page: DiscoverPage) -> None:
    found = page.finding.found
    assert found is not None
    page.finding.found = replace(found, problems=(FamilyProblem(path="my.toml", key="models[0].id", problem="?"),))
    page.finding.changed.emit()
    assert "my.toml（models[0].id：?）" in page.problems.accessibleName()


def test_both_languages_and_themes(qtbot: QtBot, page: DiscoverPage, look: Look) -> None:
    opened(qtbot, page, "qwen3-8b")
    look.speak("en")
    look.wear("dark")
    texts = visible_texts(page)
    assert "Discover models" in texts and "Download Q4_K_M (5.03 GB)" in texts and "commercial use" in texts
    assert page.cards.index(0).data(Qt.ItemDataRole.DisplayRole) == "Qwen2.5-Coder-1.5B"
    page.grab()


def test_a_model_that_arrived_is_noticed(qtbot: QtBot, page: DiscoverPage, service: DiscoverService) -> None:
    panel = opened(qtbot, page, "qwen3-8b")
    service.catalogue_models = (replace(MODELS[0], local=(MODEL.id,)), *MODELS[1:])
    service.send_event("models", {})
    qtbot.waitUntil(panel.foot.chat.isVisible)
    with qtbot.waitSignal(page.chat_wanted) as wanted:
        panel.foot.chat.click()
    assert wanted.args == [MODEL.id]


def visible_texts_of(question: Question) -> str:
    question.show()
    texts = visible_texts(question)
    question.close()
    return texts
