"""The transcript: few widgets for many messages, a scroll position nobody steals, and no freezing."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.gui.look import Look
from app.gui.transcript.messages import AssistantMessage, UserMessage
from app.gui.transcript.view import TranscriptView
from app.values import ChatMessage
from tests.app.gui.fake_service import message

# A plain layout needs more than a minute for what these tests show; the bound tells frozen from slow.
# Of computing in the window's own thread: what other programs take meanwhile is not the view's fault.
FROZEN_SECONDS = 8


@pytest.fixture
def view(qtbot: QtBot, look: Look) -> TranscriptView:
    view = TranscriptView(look)
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    qtbot.waitExposed(view)
    return view


def long_chat(count: int) -> tuple[ChatMessage, ...]:
    return tuple(
        message(f"m{n}", "user" if n % 2 == 0 else "assistant", f"第 {n} 条。\n\n" + "一段文字，" * (n % 37))
        for n in range(count)
    )


def test_only_messages_near_the_viewport_exist(view: TranscriptView) -> None:
    view.show_messages(long_chat(500), another_chat=True)
    assert 0 < view.live_count < 30
    view.verticalScrollBar().setValue(0)
    assert view.message_widget("m0") is not None
    assert view.message_widget("m499") is None
    assert view.live_count < 30


def test_messages_do_not_overlap(view: TranscriptView) -> None:
    view.show_messages(long_chat(60), another_chat=True)
    for position in (0.0, 0.3, 0.7, 1.0):
        view.verticalScrollBar().setValue(int(view.verticalScrollBar().maximum() * position))
        widgets = [view.message_widget(f"m{n}") for n in range(60)]
        places = [widget.geometry() for widget in widgets if widget is not None]
        assert all(upper.bottom() < lower.top() for upper, lower in itertools.pairwise(places))


def test_the_end_is_followed_until_the_user_scrolls_away(qtbot: QtBot, view: TranscriptView) -> None:
    answer = message("a", "assistant", "", state="streaming")
    view.show_messages((*long_chat(10), answer), another_chat=True)
    bar = view.verticalScrollBar()
    view.update_message(replace(answer, text="字\n\n" * 60))
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() and bar.maximum() > 1_000)
    bar.setValue(300)
    place = bar.value()
    highest = bar.maximum()
    view.update_message(replace(answer, text="字\n\n" * 120))
    qtbot.waitUntil(lambda: view.message_widget("a") is None or bar.maximum() > highest)
    assert bar.value() == place
    view.follow()
    assert bar.value() == bar.maximum()


def test_what_is_read_stays_in_place_when_messages_above_get_their_heights(view: TranscriptView) -> None:
    view.show_messages(long_chat(200), another_chat=True)
    bar = view.verticalScrollBar()
    before = None
    for _ in range(40):
        bar.setValue(bar.value() - 60)
        seen = next(widget for n in range(200) if (widget := view.message_widget(f"m{n}")) is not None)
        assert seen.isVisible()
        before = seen
    assert before is not None


def test_language_and_theme_renew_what_is_shown(view: TranscriptView, look: Look) -> None:
    view.show_messages((message("a", "assistant", "答"),), another_chat=True)
    old = view.message_widget("a")
    look.wear("dark")
    assert view.message_widget("a") is not old
    look.wear("light")


def test_another_branch_keeps_what_is_equal(view: TranscriptView) -> None:
    first, second = message("u", "user", "问"), message("a", "assistant", "答", parent="u")
    view.show_messages((first, second), another_chat=True)
    kept = view.message_widget("u")
    view.show_messages((first, message("b", "assistant", "另一个", parent="u")))
    assert view.message_widget("u") is kept
    assert view.message_widget("a") is None
    assert view.message_ids == ("u", "b")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "量" * 1_000_000,
        "```\n" + "x" * 1_000_000,
        "`" * 1_000_000,
        "[" * 1_000_000,
        "*a" * 500_000,
        "> " * 500_000,
        "|" * 1_000_000,
        "- " * 500_000,
        "\n".join(["[" * 80] * 12_000),
        "&" * 1_000_000,
    ],
    ids=["latin", "chinese", "code", "backticks", "brackets", "stars", "quotes", "bars", "dashes", "lines", "amps"],
)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_megabyte_does_not_freeze_it(view: TranscriptView, role: str, text: str) -> None:
    begin = time.thread_time()
    view.show_messages((message("m", role, text),), another_chat=True)
    view.grab()
    assert time.thread_time() - begin < FROZEN_SECONDS
    assert isinstance(view.message_widget("m"), UserMessage if role == "user" else AssistantMessage)


def test_a_megabyte_may_be_streamed(view: TranscriptView) -> None:
    answer = message("a", "assistant", "", state="streaming")
    view.show_messages((answer,), another_chat=True)
    begin = time.thread_time()
    for size in range(0, 1_000_001, 25_000):
        view.update_message(replace(answer, text="x" * size))
        view._draw()
    assert time.thread_time() - begin < FROZEN_SECONDS
