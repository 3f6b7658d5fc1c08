"""The page of the models on this computer: what a person sees and does there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAccessible, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui.dialogs import Question
from app.gui.library.page import LibraryPage
from app.gui.library.rows import ModelRow
from app.gui.look import Look
from app.gui.session import Session
from tests.app.gui.fake_service import ENGINE, MODEL
from tests.app.gui.library.shelf_service import ADDED, BROKEN, HERE, MISSING, OLLAMA, ShelfService, work
from tests.app.gui.test_window import visible_texts


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All questions as text; each is answered with yes."""
    texts: list[str] = []

    def exec_(self: Question) -> QDialog.DialogCode:
        framed = self.findChild(QPlainTextEdit)
        labels = [label.text() for label in self.findChildren(QLabel)]
        texts.append(" ".join([*labels, self.yes.text(), framed.toPlainText() if framed else ""]))
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(Question, "exec", exec_)
    return texts


def called(service: ShelfService, name: str) -> list[object]:
    return [what for call, what in service.calls if call == name]


def test_the_folder_and_the_model_in_use_are_shown(qtbot: QtBot, page: LibraryPage) -> None:
    assert page.list.chosen == HERE.id
    texts = visible_texts(page).replace("\u200b", "")
    for part in ("/data/models", "模型占 491 MB", "Qwen2.5-Coder-0.5B-Instruct", "Q4_K_M", "32,768 词元", "apache-2.0"):
        assert part in texts
    assert "现在找不到这个文件夹" in texts and not page.folder.move_button.isEnabled()
    qtbot.waitUntil(lambda: "支持工具，调用格式为 hermes" in visible_texts(page.panel))


def test_a_folder_that_is_there_tells_what_is_free(
    qtbot: QtBot, page: LibraryPage, service: ShelfService, tmp_path: Path
) -> None:
    service.update_settings(models_folder=str(tmp_path))
    qtbot.waitUntil(lambda: "磁盘剩余" in visible_texts(page.folder))
    assert page.folder.move_button.isEnabled() and "现在找不到" not in visible_texts(page.folder)


def test_arrow_keys_pass_over_headings(qtbot: QtBot, page: LibraryPage) -> None:
    chosen = [page.list.chosen]
    for _ in range(4):
        QTest.keyClick(page.list, Qt.Key.Key_Down)
        chosen.append(page.list.chosen)
    assert chosen == [HERE.id, ADDED.id, MISSING.id, OLLAMA.id, BROKEN.id]
    assert "已损坏" in visible_texts(page.panel) and not page.panel.chat.isEnabled()
    with qtbot.assertNotEmitted(page.chat_wanted):
        QTest.keyClick(page.list, Qt.Key.Key_Return)


def test_chat_and_plan(qtbot: QtBot, page: LibraryPage) -> None:
    for signal, button in ((page.chat_wanted, page.panel.chat), (page.plan_wanted, page.panel.plan)):
        with qtbot.waitSignal(signal) as wanted:
            button.click()
        assert wanted.args == [HERE.id]
    with qtbot.waitSignal(page.chat_wanted):
        QTest.keyClick(page.list, Qt.Key.Key_Return)


def test_verifying_shows_progress_and_a_verdict(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    row = page.list.rows[1]
    page.panel.verify.click()
    qtbot.waitUntil(lambda: "正在校验" in visible_texts(page.panel))
    assert not page.panel.verify.isEnabled()
    service.send_event("library_work", work("verify", HERE.id))
    qtbot.waitUntil(lambda: "246 MB / 491 MB" in visible_texts(page.panel))
    qtbot.waitUntil(lambda: isinstance(page.list.rows[1], ModelRow) and page.list.rows[1].badge == "正在校验 50%")
    page.panel.check.cancel.click()
    qtbot.waitUntil(lambda: called(service, "cancel_work") == [f"verify {HERE.id}"])
    service.send_event("library_work", work("verify", HERE.id, state="done", verdict="matches"))
    qtbot.waitUntil(lambda: "与官方发布的内容一致" in visible_texts(page.panel))
    page.panel.check.ended.button.click()
    assert "与官方发布的内容一致" not in visible_texts(page.panel) and page.panel.verify.isEnabled()
    qtbot.waitUntil(lambda: page.list.rows[1] == row)


def test_deleting_names_the_files(qtbot: QtBot, page: LibraryPage, service: ShelfService, asked: list[str]) -> None:
    page.panel.delete.click()
    qtbot.waitUntil(lambda: called(service, "remove") == [HERE.id])
    assert called(service, "unload") == [HERE.id]
    assert "将删除 1 个文件，释放 491 MB" in asked[0] and HERE.path in asked[0] and "会先卸载" in asked[0]
    qtbot.waitUntil(lambda: all(row.model.id != HERE.id for row in page.list.rows if isinstance(row, ModelRow)))


@pytest.mark.parametrize(
    ("model", "words"), [(OLLAMA, "它是 Ollama 的模型"), (ADDED, "不在模型文件夹里"), (MISSING, "现在找不到")]
)
def test_models_from_elsewhere_only_leave_the_list(
    qtbot: QtBot, page: LibraryPage, service: ShelfService, asked: list[str], model: object, words: str
) -> None:
    assert isinstance(model, type(MODEL))
    page.list.choose(model.id)
    assert page.panel.delete.text() == "从列表移除……"
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: called(service, "remove") == [model.id])
    assert words in asked[0] and model.path in asked[0]


def test_equally_large_models_can_be_compared(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    page.list.choose(OLLAMA.id)
    assert page.panel.duplicate.button.text() == "比较"
    page.panel.duplicate.button.click()
    qtbot.waitUntil(lambda: "正在比较大小相同的模型" in visible_texts(page))
    assert not page.panel.duplicate.button.isVisible()
    service.local_models[3] = replace(OLLAMA, maybe_duplicates=(), duplicates=("other",))
    service.send_event("library_work", work("compare", state="done"))
    service.send_event("models", {})
    qtbot.waitUntil(lambda: "和 other 是同一个文件" in visible_texts(page.panel))
    assert "比较完了" in visible_texts(page)


def test_copying_is_for_models_from_elsewhere(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    assert not page.panel.copy.isVisible()
    page.list.choose(ADDED.id)
    page.panel.copy.click()
    qtbot.waitUntil(lambda: called(service, "copy") == [ADDED.path] and not page.panel.copy.isEnabled())
    done = work("copy", "glm-2", key=f"copy {ADDED.path}", state="done")
    service.send_event("library_work", done)
    qtbot.waitUntil(lambda: "已复制到模型文件夹：glm-2" in visible_texts(page))


def test_a_broken_template_is_replaced_with_a_click(
    qtbot: QtBot, page: LibraryPage, service: ShelfService, session: Session
) -> None:
    page.list.choose(ADDED.id)
    qtbot.waitUntil(lambda: "文件里没有对话模板" in visible_texts(page.panel))
    assert "of_a_newer_service something" in visible_texts(page.panel)
    view = page.panel.template
    assert view.profile.text() == "文件自带的模板"
    view.offer.button.click()
    qtbot.waitUntil(lambda: view.profile.text() == "内置：chatglm4")
    assert service.kept_settings["chat_profiles"] == {ADDED.id: "chatglm4"} and not view.offer.isVisible()
    service.send_event("engine", replace(ENGINE, model=ADDED.id))
    qtbot.waitUntil(view.reload.isVisible)
    view.reload.button.click()
    qtbot.waitUntil(lambda: called(service, "load")[-1:] == [ADDED.id] and called(service, "unload") == [ADDED.id])
    service.send_event("engine", replace(ENGINE, model=ADDED.id, chat_profile="chatglm4"))
    qtbot.waitUntil(lambda: not view.reload.isVisible())
    menu = view.profile_menu()
    assert [action.text() for action in menu.actions()] == ["文件自带的模板", "内置：chatml", "内置：chatglm4"]
    menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: service.kept_settings["chat_profiles"] == {})


def test_the_doctor_is_asked_once(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    qtbot.waitUntil(lambda: called(service, "template") == [HERE.id])
    page.list.choose(ADDED.id)
    qtbot.waitUntil(lambda: called(service, "template") == [HERE.id, ADDED.id])
    page.list.choose(HERE.id)
    qtbot.wait(20)
    assert called(service, "template") == [HERE.id, ADDED.id]


def test_dropped_files_and_folders_are_imported(
    qtbot: QtBot, page: LibraryPage, service: ShelfService, tmp_path: Path
) -> None:
    dropped = QMimeData()
    file = tmp_path / "new-model.gguf"
    dropped.setUrls([QUrl.fromLocalFile(str(file)), QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/a")])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, dropped, buttons, keys))
    qtbot.waitUntil(lambda: "已添加：new-model" in visible_texts(page.message))
    assert "没有添加" in visible_texts(page.message) and called(service, "import_folder") == [str(tmp_path)]
    assert called(service, "import") == [str(file)] and called(service, "load") == []
    qtbot.waitUntil(lambda: page.list.chosen == "new-model")
    page.message.button.click()
    assert not page.message.isVisible()
    useless = QMimeData()
    useless.setUrls([QUrl.fromLocalFile("/a/notes.txt")])
    page.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, useless, buttons, keys))
    assert "没有 .gguf 文件" in visible_texts(page.message)


def test_a_file_that_is_refused_is_said(
    qtbot: QtBot, page: LibraryPage, service: ShelfService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["/a/b.gguf"], ""))
    service.refused_import = RemoteError(code="ModelDamaged", fields={"path": "/a/b.gguf"}, http_status=422)
    page.import_files.click()
    qtbot.waitUntil(lambda: "没有添加：/a/b.gguf 的内容已损坏" in visible_texts(page.message).replace("\u200b", ""))


def test_the_library_moves(
    qtbot: QtBot,
    page: LibraryPage,
    service: ShelfService,
    asked: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.update_settings(models_folder=str(tmp_path))
    qtbot.waitUntil(page.folder.move_button.isEnabled)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/mnt/big")
    page.folder.move_button.click()
    qtbot.waitUntil(lambda: called(service, "move") == ["/mnt/big"])
    assert called(service, "unload") == [HERE.id]
    assert "491 MB" in asked[0] and "/mnt/big" in asked[0]
    qtbot.waitUntil(lambda: not page.folder.move_button.isEnabled())
    service.send_event("library_work", work("move"))
    qtbot.waitUntil(lambda: "正在移动模型库：246 MB / 491 MB" in visible_texts(page))
    page.works["move"].cancel.click()
    qtbot.waitUntil(lambda: called(service, "cancel_work") == ["move"])
    service.send_event("library_work", work("move", state="done", left=("/old/a.gguf",)))
    qtbot.waitUntil(lambda: "1 个文件没能删除" in visible_texts(page))


def test_old_news_makes_room(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    service.send_event("library_work", work("compare", state="done"))
    qtbot.waitUntil(lambda: "比较完了" in visible_texts(page))
    page.message.show_text("good", "已添加")
    page.watch.copy("/a.gguf")
    assert "比较完了" not in visible_texts(page) and not page.message.isVisible()


def test_a_refused_move_is_said(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    service.refusal = RemoteError(code="LibraryMoveRefused", fields={"path": "/x", "reason": "same"}, http_status=409)
    page.watch.move("/x")
    qtbot.waitUntil(lambda: "它们已经在那里了" in visible_texts(page.message))


def test_other_programs_are_left_out_with_a_click(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    assert page.programs.text() == "其他程序：列出 5 个"
    service.local_models = [HERE]
    page.programs.program_menu().actions()[0].trigger()
    qtbot.waitUntil(lambda: service.kept_settings.get("find_ollama") is False and len(page.list.rows) == 2)
    qtbot.waitUntil(lambda: page.programs.text() == "其他程序：列出 4 个")


def test_filtering(qtbot: QtBot, page: LibraryPage) -> None:
    page.search.setText("glm")
    assert [row.model.id for row in page.list.rows if isinstance(row, ModelRow)] == [ADDED.id]
    page.search.setText("zzz")
    assert "没有名称相符的模型" in visible_texts(page)


def test_without_models_it_says_what_to_do(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    service.local_models = []
    service.send_event("models", {})
    qtbot.waitUntil(lambda: "这台电脑上还没有模型" in visible_texts(page))
    for signal, button in ((page.discover_wanted, page.discover), (page.import_wanted, page.bring)):
        with qtbot.waitSignal(signal):
            button.click()


def test_narrow_windows_show_one_side(qtbot: QtBot, page: LibraryPage) -> None:
    page.resize(480, 460)
    qtbot.waitUntil(lambda: not page.panel.isVisible())
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert page.panel.isVisible() and not page.list.isVisible()
    page.panel.back.click()
    assert page.list.isVisible() and not page.panel.isVisible()


def test_lost_events_are_made_up_for(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    service.works = [work("move"), work("verify", HERE.id, state="done", verdict="sound")]
    service.send_event("gap", {})
    qtbot.waitUntil(lambda: "正在移动模型库" in visible_texts(page))
    assert "结构完整" not in visible_texts(page)  # it ended before anybody looked


def test_hundreds_of_models_stay_quick(qtbot: QtBot, page: LibraryPage, service: ShelfService) -> None:
    service.local_models = [replace(MODEL, id=f"m{number}", name=f"Model {number}") for number in range(500)]
    service.send_event("models", {})
    qtbot.waitUntil(lambda: len(page.list.rows) == 501)
    began = perf_counter()
    page._show()
    page.list.choose("m499")
    page.grab()
    assert perf_counter() - began < 1.0


# ---- for everybody, in every size


def test_whatever_takes_the_focus_has_a_name(page: LibraryPage) -> None:
    nameless = []
    for widget in page.findChildren(QWidget):
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            interface = QAccessible.queryAccessibleInterface(widget)
            if not interface.text(QAccessible.Text.Name):
                nameless.append(widget)
    assert nameless == []
    listed = QAccessible.queryAccessibleInterface(page.list)
    assert "已加载" in listed.child(1).text(QAccessible.Text.Name)


def cut_off(page: QWidget) -> list[str]:
    worded: list[QLabel | QPushButton] = [*page.findChildren(QLabel), *page.findChildren(QPushButton)]
    shown = [widget for widget in worded if widget.isVisible() and widget.text()]
    return [widget.text() for widget in shown if widget.width() + 1 < widget.minimumSizeHint().width()]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off(qtbot: QtBot, page: LibraryPage, look: Look, language: str) -> None:
    look.speak("zh" if language == "zh" else "en")
    for width in (1_040, 820, 480):
        page.resize(width, 700)
        qtbot.waitUntil(lambda: cut_off(page) == [])
        assert page.width() == width
