"""Draws the main states of the window with sample data: `python -m tests.app.gui.screenshots FOLDER --scale 1.5`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":  # Qt reads its environment when it is imported
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--scale", default="1")
    chosen = arguments.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = chosen.scale

from PySide6.QtCore import QElapsedTimer, QEventLoop, Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from app.errors import RemoteError
from app.gui.dialogs import ApiInfo, Question
from app.gui.discover.page import DiscoverPage
from app.gui.downloads.limits import HoursDialog, ProxiesDialog, SpeedDialog
from app.gui.downloads.page import DownloadsPage
from app.gui.library.page import LibraryPage
from app.gui.link import ServiceLink
from app.gui.look import Look
from app.gui.plans.page import PlansPage
from app.gui.session import Session
from app.gui.transcript.messages import AssistantMessage
from app.gui.window import MainWindow
from app.plan_values import CalibrationStatus
from app.values import ChatMessage, ErrorBody, FetchStatus, Language
from tests.app.gui.discover.discover_service import DiscoverService, status
from tests.app.gui.downloads.queue_service import FAILED, TRANSFERRING, QueueService, download
from tests.app.gui.fake_service import ENGINE, SECOND_MODEL, STATS, FakeService, message
from tests.app.gui.library.shelf_service import ADDED, ShelfService, work
from tests.app.gui.plan_samples import loaded, sample_plans

ANSWER = {
    "zh": """可以跑，但要分两步看：先算权重，再算上下文占用的键值缓存。

1. **权重**：每权重约 4.85 位，7B 模型的权重约 **4.4 GB**；
2. **键值缓存**：随上下文长度增长，8K 时约 0.4 GB。

| 方案 | 权重 | 键值缓存 | 结论 |
|:--|--:|--:|:-:|
| 7B · Q4_K_M，上下文 8K | 4.4 GB | 0.4 GB | **合适** |
| 14B · Q4_K_M，上下文 4K | 9.0 GB | 0.8 GB | 勉强 |

如果想自己算，可以用这个小函数（也可以看 [文档](https://example.org/doc)）：

```python
def weights_gb(parameters: float, bits: float = 4.85) -> float:
    \"\"\"权重占用的内存，单位 GB。\"\"\"
    return parameters * bits / 8 / 1e9

print(weights_gb(7.6e9))  # 大约 4.6
```

> 小提示：`Q4_K_M` 是速度与质量的折中。
""",
    "en": """It runs, in two steps: first the weights, then the KV cache of the context.

1. **Weights**: about 4.85 bits each, so **4.4 GB** for a 7B model;
2. **KV cache**: grows with the context, about 0.4 GB at 8K.

| Plan | Weights | KV cache | Verdict |
|:--|--:|--:|:-:|
| 7B · Q4_K_M, 8K context | 4.4 GB | 0.4 GB | **fits** |
| 14B · Q4_K_M, 4K context | 9.0 GB | 0.8 GB | tight |

To work it out yourself (see also the [manual](https://example.org/doc)):

```python
def weights_gb(parameters: float, bits: float = 4.85) -> float:
    \"\"\"Memory of the weights in GB.\"\"\"
    return parameters * bits / 8 / 1e9

print(weights_gb(7.6e9))  # about 4.6
```

> Tip: `Q4_K_M` balances speed and quality.
""",
}
QUESTION = {
    "zh": "我的笔记本有 16 GB 内存，能跑 7B 的模型吗？帮我算一下。",
    "en": "My laptop has 16 GB of memory. Can it run a 7B model? Please work it out.",
}
TITLES = {
    "zh": (
        "16 GB 内存能跑多大的模型",
        "把这段会议记录整理成要点",
        "用 Python 写一个重命名脚本",
        "古诗里的“量力而行”出处",
    ),
    "en": (
        "How large a model fits 16 GB",
        "Meeting notes into key points",
        "A script that renames photos",
        "Where 量力而行 comes from",
    ),
}
THOUGHTS = (
    "用户问 16 GB 内存能否运行 7B 模型。先估算权重大小，再估算键值缓存，最后和可用内存比较。\n"
    "权重：7.6e9 × 4.85 / 8 ≈ 4.6 GB。"
)


def fill(service: FakeService, language: Language) -> None:
    """Chats as a person would have them after a week."""
    for number, title in enumerate(TITLES[language], 1):
        service.keep(chat_id=f"c{number}", title=title, updated_at=100.0 - number)
    question = message("u1", "user", QUESTION[language])
    answer = message(
        "a1", "assistant", ANSWER[language], parent="u1", stats=STATS, reasoning=THOUGHTS, siblings=("a0", "a1")
    )
    service.keep(question, answer, title=TITLES[language][0], updated_at=100.0)
    broken = ErrorBody(code="EngineDied", fields={"cause": "killed", "detail": ""})
    service.keep(
        message("u1", "user", "古诗里的“量力而行”出自哪里？", chat="c4"),
        message(
            "a1",
            "assistant",
            "“量力而行”出自《左传·昭公十五年》：",
            parent="u1",
            state="length",
            stats=STATS,
            chat="c4",
        ),
        message("u2", "user", "原文是什么？", parent="a1", chat="c4"),
        message(
            "a2",
            "assistant",
            "原文是：“力能则进，否则退，量力而",
            parent="u2",
            state="interrupted",
            error=broken,
            chat="c4",
        ),
        chat_id="c4",
        title=TITLES[language][3],
        updated_at=96.0,
    )


class Studio:
    """One window with a service of its own, to be put into a state and drawn."""

    def __init__(self, folder: Path, language: Language, theme: str, service: FakeService) -> None:
        self._folder, self._name, self.service = folder, f"{language}_{theme}", service
        self.look = Look(language, "dark" if theme == "dark" else "light")
        self.link = ServiceLink(service.connect)
        self.session = Session(self.link)
        self.window = MainWindow(self.look, self.session)
        self.window.show()

    def wait(self, condition: Callable[[], bool]) -> None:
        clock = QElapsedTimer()
        clock.start()
        while not condition() and clock.elapsed() < 5_000:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        clock.restart()
        while clock.elapsed() < 150:  # streamed text is drawn ten times a second
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)

    def go_online(self) -> None:
        self.link.open()
        self.wait(lambda: self.session.models is not None and bool(self.session.offers))

    def open_chat(self, chat_id: str) -> None:
        self.session.open_chat(chat_id)
        self.wait(lambda: self.session.chat is not None and self.session.chat.id == chat_id)

    def save(self, state: str) -> None:
        self.window.grab().save(str(self._folder / f"{state}_{self._name}.png"))

    def close(self) -> None:
        self.link.close()
        self.service.end()
        self.link.wait_ended(5)
        self.window.close()
        self.window.deleteLater()


def draw_chats(folder: Path, language: Language, theme: str) -> None:
    service = FakeService()
    service.local_models.append(SECOND_MODEL)
    fill(service, language)
    studio = Studio(folder, language, theme, service)
    studio.save("starting")
    studio.go_online()
    studio.save("welcome")
    studio.open_chat("c1")
    studio.save("chat")
    view = studio.window.chat_page.transcript.message_widget("a1")
    if isinstance(view, AssistantMessage):
        view.think_button.click()
    studio.window.chat_page.transcript.verticalScrollBar().setValue(0)
    studio.wait(lambda: True)
    studio.save("thoughts")
    studio.open_chat("c4")
    studio.save("broken")
    menu = studio.window.header.settings_menu()
    menu.popup(studio.window.mapToGlobal(studio.window.rect().center()))
    menu.grab().save(str(folder / f"menu_{language}_{theme}.png"))
    menu.close()
    models = studio.window.header.model_menu()
    models.popup(studio.window.mapToGlobal(studio.window.rect().center()))
    models.grab().save(str(folder / f"models_{language}_{theme}.png"))
    models.close()
    for name, dialog in (
        ("api", ApiInfo(studio.look, studio.window, service.base_url, "sk-" + "a1b2c3" * 6)),
        (
            "link",
            Question(
                studio.look,
                studio.window,
                studio.look.say("dialog.link_title"),
                studio.look.say("dialog.link_text"),
                studio.look.say("dialog.link_yes"),
                "https://example.org/doc",
            ),
        ),
    ):
        dialog.show()
        studio.wait(lambda: True)
        dialog.grab().save(str(folder / f"{name}_{language}_{theme}.png"))
        dialog.close()
    draw_streaming(studio)
    studio.close()


def draw_streaming(studio: Studio) -> None:
    """An answer on its way, while the model is restarting; and an edit with a long paste."""
    chat: list[ChatMessage] = [*studio.service.kept["c2"].messages]
    studio.service.keep(
        *chat,
        message("u1", "user", "第一行\n第二行：" + "很长的一行，" * 14, chat="c2"),
        message("a1", "assistant", "", parent="u1", state="streaming", chat="c2"),
        chat_id="c2",
        title=TITLES[studio.look.language][1],
        updated_at=98.0,
    )
    studio.open_chat("c2")
    studio.service.send_event("engine", replace(ENGINE, state="loading", load_fraction=0.42, tokens_per_second=0))
    studio.window.chat_page.composer.field.long_pasted.emit("x" * 123_456)
    studio.wait(lambda: False if studio.session.engine is None else studio.session.engine.state == "loading")
    studio.save("loading")


def draw_first_run(folder: Path, language: Language, theme: str) -> None:
    service = FakeService()
    service.local_models, service.engines = [], []
    studio = Studio(folder, language, theme, service)
    studio.go_online()
    studio.save("first")
    service.send_event(
        "fetch",
        FetchStatus(
            key="qwen-0.5b",
            state="transferring",
            received_bytes=211_000_000,
            total_bytes=491_400_064,
            bytes_per_second=12_400_000,
            source="ModelScope",
        ),
    )
    studio.wait(lambda: bool(studio.session.fetches))
    studio.save("fetching")
    studio.close()


def draw_plans(folder: Path, language: Language, theme: str) -> None:
    """The page of hardware and plans: a model here, one of a repository, an imagined computer, a small window."""
    service = FakeService()
    service.local_models.append(SECOND_MODEL)
    fill(service, language)
    studio = Studio(folder, language, theme, service)
    studio.go_online()
    studio.window.resize(1280, 840)
    studio.window.sidebar.navigation.buttons["plans"].click()
    page = studio.window.side_pages.made("plans")
    assert isinstance(page, PlansPage)
    planning = page.planning
    studio.wait(lambda: planning.plan is not None and not planning.advice_is_old and len(planning.previews) == 2)
    studio.save("plans")
    service.plan_answer = lambda model, wish, advice: loaded(sample_plans(model, wish, advice))
    planning.ask_again()
    page.panel.bill.button.click()
    scroll(page.panel, 0.35)
    scroll(page, 1.0)
    page.watch.measure()
    service.send_event("calibration", CalibrationStatus(state="running", fraction=0.37))
    studio.wait(lambda: page.watch.calibration.fraction > 0)
    studio.save("plans_measuring")
    service.plan_answer = sample_plans
    page.panel.bill.button.click()
    scroll(page, 0.0)
    page.models.field.setText("Qwen/Qwen3-8B-GGUF")
    page.models.button.click()
    studio.wait(lambda: planning.plan is not None)
    planning.choose("Q8_0")
    planning.fix(context=16_384)
    studio.wait(lambda: not planning.advice_is_old and bool(planning.plan and planning.plan.advice))
    scroll(page.panel, 0.0)
    studio.save("plans_repository")
    scroll(page.panel, 1.0)
    studio.save("plans_repository_end")
    page.what_if.card.setText("RTX 4060 8GB")
    page.what_if.memory.setText("16G")
    page.what_if.button.click()
    studio.wait(lambda: planning.plan is not None and planning.hypothetical)
    planning.choose("F16")
    planning.fix(gpu_layers=37)
    studio.wait(lambda: not planning.advice_is_old)
    studio.window.activateWindow()
    page.panel.controls.context.slider.setFocus(Qt.FocusReason.TabFocusReason)
    scroll(page.panel, 0.0)
    studio.save("plans_imagined")
    studio.window.resize(studio.window.minimumSize())
    studio.wait(lambda: True)
    studio.save("plans_small_plan")
    service.plans_refusal = RemoteError(
        code="CardUnknown",
        fields={"name": "RTX 4061", "reason": "unknown", "candidates": ["RTX 4060", "RTX 4060 Ti"]},
        http_status=422,
    )
    page.panel.back.click()
    page.what_if.card.setText("RTX 4061")
    page.what_if.button.click()
    studio.wait(lambda: planning.trouble is not None)
    scroll(page, 0.5)
    studio.save("plans_small_list")
    studio.close()


def draw_discover(folder: Path, language: Language, theme: str) -> None:
    """The page where models are looked for: the list, a model that was chosen, a pasted repository, a small window."""
    service = DiscoverService()
    service.downloads_now = [status("glm4-9b:Q4_K_M")]
    fill(service, language)
    studio = Studio(folder, language, theme, service)
    studio.go_online()
    studio.window.resize(1366, 896)
    studio.window.sidebar.navigation.buttons["discover"].click()
    page = studio.window.side_pages.made("discover")
    assert isinstance(page, DiscoverPage)
    studio.wait(lambda: len(page.finding.fits) == len(service.known_fits))
    studio.wait(lambda: page.finding.models[-1].state != "ready")
    studio.save("discover")
    page.look_at("qwen3-8b")
    studio.wait(lambda: page.choosing.plans is not None and page.choosing.detail is not None)
    studio.save("discover_model")
    page.look_at("glm4-9b")
    studio.wait(lambda: page.choosing.plans is not None and page.choosing.detail is not None)
    studio.save("discover_download")
    page.field.setText("Qwen/Qwen3-8B-GGUF")
    page.pasted.ask()
    studio.wait(lambda: page.choosing.plans is not None)
    studio.save("discover_pasted")
    studio.window.resize(studio.window.minimumSize())
    studio.wait(lambda: True)
    studio.save("discover_small_model")
    page.field.clear()
    if page.panel is not None:
        page.panel.back.click()
    page.list.go_to("qwen3-32b")
    studio.wait(lambda: True)
    studio.save("discover_small_list")
    studio.close()


def draw_library(folder: Path, language: Language, theme: str) -> None:
    """The models of this computer: the one in use, one with a broken template under work, a small window."""
    service = ShelfService()
    service.kept_settings["models_folder"] = str(folder.absolute())
    fill(service, language)
    studio = Studio(folder, language, theme, service)
    studio.go_online()
    studio.window.resize(1366, 896)
    studio.window.sidebar.navigation.buttons["library"].click()
    page = studio.window.side_pages.made("library")
    assert isinstance(page, LibraryPage)
    studio.wait(lambda: bool(page.watch.reports) and page.watch.folder is not None)
    studio.save("library")
    page.list.choose(ADDED.id)
    for begun in (work("move"), work("verify", ADDED.id)):
        service.send_event("library_work", begun)
    studio.wait(lambda: ADDED.id in page.watch.reports)
    studio.save("library_working")
    studio.window.resize(studio.window.minimumSize())
    studio.wait(lambda: True)
    studio.save("library_small_list")
    page.list.clicked.emit(page.list.currentIndex())
    studio.wait(lambda: True)
    studio.save("library_small_model")
    service.local_models = []
    service.send_event("library_work", work("move", state="done", left=("/old/a.gguf",)))
    service.send_event("models", {})
    studio.wait(lambda: not page.list.rows)
    studio.save("library_empty")
    studio.close()


def draw_downloads(folder: Path, language: Language, theme: str) -> None:
    """The queue with each state that looks different, its dialogs, and nothing at all in a small window."""
    service = QueueService()
    fill(service, language)
    service.kept_settings["download_hours"] = "22:30-07:00"
    service.queue = [
        TRANSFERRING,
        download(6, "verifying", checked_bytes=3_150_000_000, source="ModelScope"),
        download(7, "repairing", source="Hugging Face", connections=1, bytes_per_second=2e6, remaining_seconds=9_000),
        download(8, "waiting"),
        FAILED,
        download(2, outside_hours=True),
        download(3, "paused"),
        download(5, "done"),
    ]
    studio = Studio(folder, language, theme, service)
    studio.go_online()
    studio.window.resize(1180, 1_240)
    studio.window.sidebar.navigation.buttons["downloads"].click()
    page = studio.window.side_pages.made("downloads")
    assert isinstance(page, DownloadsPage)
    studio.wait(lambda: page.watch.known)
    studio.save("downloads")
    for name, kind in (("speed", SpeedDialog), ("hours", HoursDialog), ("proxies", ProxiesDialog)):
        dialog = kind(studio.look, studio.session, studio.window)
        dialog.open()
        if isinstance(dialog, SpeedDialog):
            dialog.yes.click()  # without a number, for the words at the field
        studio.wait(lambda: True)
        dialog.grab().save(str(folder / f"downloads_{name}_{language}_{theme}.png"))
        dialog.reject()
    studio.window.resize(studio.window.minimumSize())
    studio.wait(lambda: True)
    studio.save("downloads_small")
    service.queue = []
    page.watch.refresh()
    studio.wait(lambda: not page.queue.cards)
    studio.save("downloads_empty")
    studio.close()


def scroll(widget: QWidget, part: float) -> None:
    """The first scroll area of the widget to a part of its length."""
    QApplication.processEvents()
    bar = widget.findChildren(QScrollArea)[0].verticalScrollBar()
    bar.setValue(round(part * bar.maximum()))


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    app.setStyle("Fusion")
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        for theme in ("light", "dark"):
            draw_chats(folder, language, theme)
            draw_first_run(folder, language, theme)
            draw_plans(folder, language, theme)
            draw_discover(folder, language, theme)
            draw_library(folder, language, theme)
            draw_downloads(folder, language, theme)


if __name__ == "__main__":
    main(chosen.folder)
