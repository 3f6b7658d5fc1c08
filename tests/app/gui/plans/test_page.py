"""The page of hardware and plans in the window: what a person sees and does there."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui.look import Look
from app.gui.plans.hardware_watch import LIVE_MILLISECONDS
from app.gui.plans.lists import AdviceTile
from app.gui.plans.page import PlansPage
from app.gui.session import Session
from app.gui.window import LEAST_SIZE, MainWindow
from app.plan_values import CalibrationStatus, PlanWish
from tests.app.gui.fake_service import ENGINE, MODEL, SECOND_MODEL, FakeService
from tests.app.gui.plan_samples import COMPUTER, loaded, sample_plans
from tests.app.gui.test_window import visible_texts

WIDE = 1_280


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> PlansPage:
    """The page, wide, with the plan of the model in use."""
    window.resize(WIDE, 800)
    window.sidebar.navigation.buttons["plans"].click()
    page = window.side_pages.made("plans")
    assert isinstance(page, PlansPage)
    qtbot.waitUntil(lambda: page.planning.plan is not None and page.watch.live is not None)
    qtbot.waitUntil(lambda: MODEL.id in page.planning.previews)
    return page


def look_at_repository(qtbot: QtBot, page: PlansPage) -> None:
    page.models.field.setText("Qwen/Qwen3-8B-GGUF")
    QTest.keyClick(page.models.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.planning.plan is not None and page.planning.target == "Qwen/Qwen3-8B-GGUF")


def test_the_window_is_made_without_it(window: MainWindow) -> None:
    assert window.side_pages.made("plans") is None
    assert not window.sidebar.navigation.buttons["plans"].isChecked()


def test_it_is_not_even_imported_at_the_start() -> None:
    import subprocess

    code = "import sys, app.gui.window; print([name for name in sys.modules if name.startswith('app.gui.plans')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_it_says_what_the_computer_has(page: PlansPage) -> None:
    texts = visible_texts(page)
    for part in ("AMD Ryzen 7 7840HS", "AVX512_VNNI", "NVIDIA GeForce RTX 4060", "驱动 570.86", "firefox 184 MB"):
        assert part in texts
    assert "推理引擎还用不上它" in texts and "占用 23%" in texts and "可用 10.5 GB" in texts and "固态硬盘" in texts
    assert "查不到这张卡的显存" in texts
    assert page.pill.accessibleName() == "RTX 4060 · 8.59 GB 显存 + 16.5 GB 内存"


def test_what_could_not_be_found_out_is_said(qtbot: QtBot, page: PlansPage, service: FakeService) -> None:
    service.computer = replace(
        COMPUTER, cpu_name="", disk_total_bytes=0, disk_kind="unknown", memory_total_bytes=0, accelerators=()
    )
    page.watch.refresh()
    qtbot.waitUntil(lambda: len(page.cards.cards) == 3)
    assert visible_texts(page.cards).count("未知") == 2  # the memory's figures of the moment are known


def test_it_asks_only_while_it_is_seen(qtbot: QtBot, page: PlansPage, window: MainWindow, service: FakeService) -> None:
    window.sidebar.new_button.click()
    assert not page.isVisible() and not window.sidebar.navigation.buttons["plans"].isChecked()
    before = len(service.calls)
    qtbot.wait(LIVE_MILLISECONDS + 200)
    assert "live" not in [name for name, _ in service.calls[before:]]


def test_the_plan_is_shown_with_all_its_parts(qtbot: QtBot, page: PlansPage) -> None:
    texts = visible_texts(page.panel)
    for part in ("合适", "放得下，还有余量。", "权重 491 MB", "KV 缓存 101 MB", "904 MB / 7.53 GB", "248–372 词元/秒"):
        assert part in texts
    assert "按公开参数推算" in texts and "词表" not in texts
    page.panel.bill.button.click()
    page.panel.numbers.button.click()
    assert "词表" in visible_texts(page.panel) and "生成线程" in visible_texts(page.panel)
    bars = [picture.bar.accessibleName() for picture in page.panel._pictures]
    assert bars[0].startswith("显存 904 MB / 7.53 GB 权重 491 MB")


def test_a_slider_plans_anew_and_goes_back_to_automatic(qtbot: QtBot, page: PlansPage) -> None:
    controls, planning = page.panel.controls, page.planning
    controls.context.slider.setFocus()
    QTest.keyClick(controls.context.slider, Qt.Key.Key_End)
    assert controls.context.value.text() == "32,768 词元"  # before any answer
    qtbot.waitUntil(lambda: planning.plan is not None and planning.plan.context == 32_768)
    assert "由你指定" in visible_texts(controls.context) and controls.context.reset.isVisible()
    controls.context.reset.click()
    qtbot.waitUntil(lambda: planning.plan is not None and planning.plan.context == 8_192)
    assert "自动：默认的上下文长度" in visible_texts(controls.context) and not controls.context.reset.isVisible()
    controls.kv.buttons["q8_0"].click()
    qtbot.waitUntil(lambda: planning.plan is not None and planning.plan.kv_type_k == "q8_0")
    assert controls.kv.buttons["q8_0"].isChecked() and not controls.kv.buttons["f16"].isChecked()


def test_too_much_is_said_in_words_and_cannot_be_started(qtbot: QtBot, page: PlansPage) -> None:
    page.planning.fix(context=32_768, parallel=32, gpu_layers=25)
    qtbot.waitUntil(lambda: page.panel.badge.accessibleName() == "超出")
    assert "超出安全上限" in visible_texts(page.panel)
    assert not page.panel.start.isEnabled() and "请先调低一些" in visible_texts(page.panel)


def test_without_a_card_there_are_no_layers_to_move(qtbot: QtBot, page: PlansPage, service: FakeService) -> None:
    answer = sample_plans(MODEL.id, PlanWish(), False)
    plan = answer.quantizations[0].plan
    assert plan is not None
    only = replace(plan, devices=plan.devices[:1])
    answer = replace(answer, quantizations=(replace(answer.quantizations[0], plan=only),))
    service.plan_answer = lambda *_: answer
    page.planning.ask_again()
    qtbot.waitUntil(lambda: not page.panel.controls.gpu_layers.isVisible())


def test_predicted_stands_beside_measured(qtbot: QtBot, page: PlansPage, service: FakeService) -> None:
    service.plan_answer = lambda *asked: loaded(sample_plans(*asked))
    page.planning.ask_again()
    qtbot.waitUntil(lambda: "预计 904 MB，实测 913 MB" in visible_texts(page.panel))


def test_a_running_model_shows_what_it_really_takes(qtbot: QtBot, page: PlansPage, service: FakeService) -> None:
    assert not page.panel._running.isVisible()
    service.engines = [replace(ENGINE, planned_bytes=730_000_000, private_bytes=671_000_000)]
    service.send_event("engine", service.engines[0])
    qtbot.waitUntil(lambda: "内存预计占 730 MB，实测 671 MB" in visible_texts(page.panel))


def test_a_repository_is_planned_before_anything_is_downloaded(qtbot: QtBot, page: PlansPage) -> None:
    look_at_repository(qtbot, page)
    tiles = [tile for tile in page.panel.quantizations.tiles if tile.isVisible()]
    assert [tile.quantization for tile in tiles] == ["Q4_K_M", "Q5_K_M", "Q8_0", "F16", "IQ9_X"]
    assert tiles[0].isChecked() and "推荐" in tiles[0].accessibleName() and "合适" in tiles[0].accessibleName()
    assert not tiles[4].isEnabled() and "qwen9" in tiles[4].accessibleName()
    assert not page.panel.start.isEnabled() and "还不在这台电脑上" in visible_texts(page.panel)
    tiles[3].click()
    assert page.panel.badge.accessibleName() == "超出" or page.panel.badge.accessibleName() == "部分靠处理器"
    assert tiles[3].isChecked() and not tiles[0].isChecked()


def test_advice_is_followed_with_a_click(qtbot: QtBot, page: PlansPage) -> None:
    look_at_repository(qtbot, page)
    page.planning.choose("Q8_0")
    qtbot.waitUntil(lambda: len(page.panel.advice.findChildren(AdviceTile)) == 3)
    tiles = {tile.accessibleName(): tile for tile in page.panel.advice.findChildren(AdviceTile)}
    next(tile for name, tile in tiles.items() if "q8_0" in name).click()
    assert page.planning.wish.kv == "q8_0" and not page.panel.advice.isEnabled()
    qtbot.waitUntil(page.panel.advice.isEnabled)
    again = page.panel.advice.findChildren(AdviceTile)
    next(tile for tile in again if "Q4_K_M" in tile.accessibleName()).click()
    assert page.planning.plan is not None and page.planning.plan.quantization == "Q4_K_M"
    assert "关掉 firefox" in visible_texts(page.panel) or not page.planning.plan.advice


def test_another_computer_is_imagined_and_left_again(qtbot: QtBot, page: PlansPage) -> None:
    page.what_if.card.setText("RTX 4060 8GB")
    page.what_if.memory.setText("16 GB")
    QTest.keyClick(page.what_if.memory, Qt.Key.Key_Return)
    assert page.planning.wish == PlanWish(gpus=("RTX 4060 8GB",), ram="16G")
    qtbot.waitUntil(lambda: "假想的电脑计算，不是这台：RTX 4060 8GB (8.59 GB)" in visible_texts(page))
    qtbot.waitUntil(lambda: page.planning.plan is not None)
    assert not page.panel.start.isEnabled() and page.pill.property("tone") == "warn"
    page.banner.button.click()
    assert page.planning.wish == PlanWish() and not page.banner.isVisible()
    qtbot.waitUntil(page.panel.start.isEnabled)


def test_an_unknown_card_is_said_where_it_was_typed(qtbot: QtBot, page: PlansPage, service: FakeService) -> None:
    service.plans_refusal = RemoteError(
        code="CardUnknown",
        fields={"name": "RTX 4061", "reason": "unknown", "candidates": ["RTX 4060"]},
        http_status=422,
    )
    page.what_if.card.setText("RTX 4061")
    page.what_if.button.click()
    qtbot.waitUntil(page.what_if.message.isVisible)
    assert "不认识这块显卡" in visible_texts(page.what_if) and "RTX 4060" in visible_texts(page.what_if)


def test_a_repository_that_cannot_be_reached_is_said_and_can_be_retried(
    qtbot: QtBot, page: PlansPage, service: FakeService
) -> None:
    service.plans_refusal = RemoteError(code="RepositoryWithoutGguf", fields={"repository": "a/b"}, http_status=404)
    page.models.field.setText("a/b")
    page.models.button.click()
    qtbot.waitUntil(page.panel.trouble.isVisible)
    assert "GGUF" in page.panel.trouble.accessibleName() and not page.panel.start.isVisible()
    service.plans_refusal = None
    page.panel.trouble.button.click()
    qtbot.waitUntil(page.panel.start.isVisible)
    assert not page.panel.trouble.isVisible()


def test_a_chat_begins_with_the_plan(
    qtbot: QtBot, page: PlansPage, window: MainWindow, session: Session, service: FakeService
) -> None:
    page.panel.controls.parallel.moved.emit(2)
    page.panel.start.click()
    assert window.pages.currentWidget() is window.chat_page
    qtbot.waitUntil(lambda: ("load_wish", PlanWish(parallel=2)) in service.calls)
    assert session.model == MODEL


def test_the_models_of_the_computer_are_listed_with_verdicts(
    qtbot: QtBot, page: PlansPage, service: FakeService
) -> None:
    service.local_models.append(SECOND_MODEL)
    service.send_event("models", {})
    qtbot.waitUntil(lambda: SECOND_MODEL.id in page.planning.previews)
    tile = page.models.tiles[SECOND_MODEL.id]
    assert "放得下" in tile.accessibleName() and "142–214 词元/秒" in tile.accessibleName()
    QTest.keyClick(tile, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.planning.model == SECOND_MODEL and page.planning.plan is not None)
    assert tile.isChecked() and not page.models.tiles[MODEL.id].isChecked()


def test_the_speed_is_measured_with_progress_and_can_be_stopped(
    qtbot: QtBot, page: PlansPage, service: FakeService
) -> None:
    card = page.calibration
    assert "按公开参数推算" in visible_texts(card)
    card.button.click()
    qtbot.waitUntil(lambda: ("calibrate", None) in service.calls)
    service.send_event("calibration", CalibrationStatus(state="running", fraction=0.37))
    qtbot.waitUntil(lambda: "37%" in visible_texts(card))
    assert card.bar.isVisible() and card.bar.value() == 370
    card.button.click()
    qtbot.waitUntil(lambda: ("cancel_calibration", None) in service.calls)
    service.send_event("calibration", CalibrationStatus(state="cancelled"))
    qtbot.waitUntil(lambda: "已取消" in visible_texts(card))
    card.button.click()
    service.computer = replace(COMPUTER, calibrated_at=1_750_000_000.0)
    qtbot.waitUntil(lambda: page.watch.calibration.state == "running")
    before = len([name for name, _ in service.calls if name == "plans"])
    service.send_event("calibration", CalibrationStatus(state="done", fraction=1.0))
    qtbot.waitUntil(lambda: "2025-06-15" in visible_texts(card))
    qtbot.waitUntil(lambda: len([name for name, _ in service.calls if name == "plans"]) > before)


def test_a_small_window_shows_one_side_at_a_time(qtbot: QtBot, page: PlansPage, window: MainWindow) -> None:
    window.resize(LEAST_SIZE)
    assert page.models.isVisible() and not page.panel.isVisible()
    page.models.tiles[MODEL.id].click()
    assert page.panel.isVisible() and not page.models.isVisible()
    qtbot.waitUntil(page.panel.start.isVisible)
    assert page.panel.start.mapTo(window, page.panel.start.rect().bottomRight()).x() < window.width()
    page.panel.back.click()
    assert page.models.isVisible()
    window.resize(WIDE, 800)
    assert page.models.isVisible() and page.panel.isVisible() and not page.panel.back.isVisible()


def test_a_small_window_says_too_that_the_computer_is_imagined(
    qtbot: QtBot, page: PlansPage, window: MainWindow
) -> None:
    window.resize(LEAST_SIZE)
    page.models.tiles[MODEL.id].click()
    page.planning.imagine(("none",), "8G")
    assert page.panel.imagined.isVisible() and not page.banner.isVisible()
    page.panel.imagined.button.click()
    assert not page.panel.imagined.isVisible() and page.planning.wish == PlanWish()


def test_a_computer_without_models_is_shown_and_gets_its_first_one(
    qtbot: QtBot, window: MainWindow, session: Session, service: FakeService
) -> None:
    service.local_models, service.engines = [], []
    service.send_event("models", {})
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.first_run)
    window.sidebar.navigation.buttons["plans"].click()
    page = window.side_pages.made("plans")
    assert isinstance(page, PlansPage) and "这台电脑上还没有模型" in visible_texts(page)
    look_at_repository(qtbot, page)
    service.send_event("models", {})  # nobody is taken away from here
    page.models.starter.click()
    assert window.pages.currentWidget() is window.first_run


def test_language_and_theme_change_at_once(qtbot: QtBot, page: PlansPage, window: MainWindow, look: Look) -> None:
    page.panel.bill.button.click()
    window.header.language_wanted.emit("en")
    window.header.theme_wanted.emit("dark")
    texts = visible_texts(page)
    for part in ("It fits, with room to spare.", "weights 491 MB", "Measure this computer", "vocabulary", "Processor"):
        assert part in texts
    assert not [character for character in texts if "\u4e00" <= character <= "\u9fff"]
    point = page.mapTo(window, page.rect().topLeft())
    assert window.grab().toImage().pixelColor(point.x() + 4, point.y() + 4).name() == look.theme.ground.lower()


def test_it_survives_a_service_that_goes_away(qtbot: QtBot, page: PlansPage, session: Session) -> None:
    session.link._client = None
    page.planning.fix(context=2_048)
    qtbot.waitUntil(page.panel.trouble.isVisible)
    assert page.planning.plan is not None  # the old bars stay


def test_it_says_when_the_service_is_gone_and_starts_it_again(
    qtbot: QtBot, page: PlansPage, session: Session, service: FakeService
) -> None:
    service.send_event("bye", {})
    service.end()
    qtbot.waitUntil(lambda: "本机服务已停止" in page.trouble.accessibleName())
    page.trouble.button.click()
    qtbot.waitUntil(lambda: not page.trouble.isVisible())
    assert service.connections == 2 and page.planning.plan is not None


def test_every_focusable_widget_has_a_name(qtbot: QtBot, page: PlansPage) -> None:
    look_at_repository(qtbot, page)
    page.planning.choose("Q8_0")
    page.planning.fix(context=16_384)
    qtbot.waitUntil(lambda: bool(page.panel.advice.findChildren(AdviceTile)))
    nameless = []
    for widget in page.findChildren(QWidget):
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            interface = QAccessible.queryAccessibleInterface(widget)
            if not interface.text(QAccessible.Text.Name):
                nameless.append(widget)
    assert nameless == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off(qtbot: QtBot, page: PlansPage, window: MainWindow, language: str) -> None:
    """Every label and button that does not shorten itself has the room that it asks for."""
    window.header.language_wanted.emit(language)
    look_at_repository(qtbot, page)
    page.planning.choose("Q8_0")
    page.planning.fix(context=16_384, parallel=2, kv="q8_0")
    qtbot.waitUntil(lambda: page.panel.controls.kv.reset.isVisible() and not page.planning.advice_is_old)
    for size in ((WIDE, 800), (1_180, 800), (LEAST_SIZE.width(), LEAST_SIZE.height())):
        window.resize(*size)
        qtbot.wait(20)
        worded: list[QLabel | QPushButton] = [*page.findChildren(QLabel), *page.findChildren(QPushButton)]
        cut = [
            widget.text()
            for widget in worded
            if widget.isVisible() and widget.text() and widget.width() + 1 < widget.minimumSizeHint().width()
        ]
        assert cut == []
