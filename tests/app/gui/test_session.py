"""What the window knows, and what it asks of the service."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui import link as link_module
from app.gui.session import Session
from app.values import ErrorBody
from tests.app.gui.fake_service import ENGINE, MODEL, SECOND_MODEL, FakeService, message


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "RETRY_SECONDS", 0.01)


def open_chat(qtbot: QtBot, session: Session, service: FakeService) -> None:
    service.keep(message("u1", "user", "问"), message("a1", "assistant", "答", parent="u1"))
    with qtbot.waitSignal(session.chat_replaced):
        session.open_chat("c1")


def test_the_first_message_creates_its_chat(qtbot: QtBot, session: Session, service: FakeService) -> None:
    with qtbot.waitSignal(session.sent):
        session.send("你好")
    qtbot.waitUntil(lambda: len(session.messages) == 2)
    assert session.chat is not None
    assert [one.text for one in session.messages] == ["你好", ""]
    assert session.writing is not None
    assert ("create", MODEL.id) in service.calls


def test_an_answer_grows_and_ends(qtbot: QtBot, session: Session, service: FakeService) -> None:
    session.send("你好")
    qtbot.waitUntil(lambda: len(session.messages) == 2)
    answer = session.messages[1]
    for piece in ("你", "好", "！"):
        service.say(answer.id, piece)
    qtbot.waitUntil(lambda: session.messages[1].text == "你好！")
    service.put(replace(service.kept["c1"].messages[1], state="complete"))
    qtbot.waitUntil(lambda: session.writing is None)


def test_a_gap_fetches_the_chat_again(qtbot: QtBot, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    service.keep(message("u1", "user", "问"), message("a1", "assistant", "答案在此", parent="u1"))
    lost = {"chat_id": "c1", "message_id": "a1", "offset": 3, "text": "此", "reasoning_offset": 0, "reasoning": ""}
    service.send_event("delta", lost)
    qtbot.waitUntil(lambda: session.messages[1].text == "答案在此")


def test_lost_events_fetch_everything_again(qtbot: QtBot, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    service.keep(message("u1", "user", "问"), message("a1", "assistant", "新的回答", parent="u1"))
    service.send_event("gap", {})
    qtbot.waitUntil(lambda: session.messages[1].text == "新的回答")


def test_an_unloaded_engine_is_forgotten(qtbot: QtBot, session: Session, service: FakeService) -> None:
    service.send_event("engine", ENGINE)
    qtbot.waitUntil(lambda: ENGINE.model in session.engines)
    service.send_event("engine_unloaded", {"model": ENGINE.model})
    qtbot.waitUntil(lambda: ENGINE.model not in session.engines)


def test_a_reconnection_fetches_everything_again(qtbot: QtBot, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    interrupted = message(
        "a1", "assistant", "答", parent="u1", state="interrupted", error=ErrorBody(code="EngineDied", fields={})
    )
    service.keep(message("u1", "user", "问"), interrupted)
    service.keep(chat_id="c2", title="另一段")
    service.end()
    qtbot.waitUntil(lambda: session.messages[1].state == "interrupted" and len(session.chats) == 2)


def test_old_replies_do_not_overwrite_news(qtbot: QtBot, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    session._on_reply(message("a1", "assistant", "", parent="u1", state="streaming"))
    assert session.messages[1].text == "答"


def test_regenerating_shows_the_new_version(qtbot: QtBot, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    session.regenerate(session.messages[1])
    qtbot.waitUntil(lambda: session.writing is not None)
    assert session.messages[1].sibling_ids == ("a1", "a1b")


def test_stop_and_continue(qtbot: QtBot, session: Session, service: FakeService) -> None:
    session.send("你好")
    qtbot.waitUntil(lambda: session.writing is not None)
    session.stop()
    qtbot.waitUntil(lambda: session.messages[1].state == "stopped")
    session.continue_message(session.messages[1])
    qtbot.waitUntil(lambda: session.messages[1].state == "streaming")


def test_the_deleted_chat_leaves_the_screen(qtbot: QtBot, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    session.delete_chat("c1")
    qtbot.waitUntil(lambda: session.chat is None)
    assert session.messages == ()


def test_a_refusal_is_trouble(qtbot: QtBot, session: Session, service: FakeService) -> None:
    service.refusal = RemoteError(code="NoModelInstalled", fields={}, http_status=409)
    with qtbot.waitSignal(session.trouble) as caught:
        session.send("你好")
    assert caught.args == [service.refusal]


def test_choosing_a_model_loads_it_and_tells_the_chat(qtbot: QtBot, session: Session, service: FakeService) -> None:
    open_chat(qtbot, session, service)
    service.local_models.append(SECOND_MODEL)
    service.send_event("models", {})
    qtbot.waitUntil(lambda: len(session.models or ()) == 2)
    session.choose_model(SECOND_MODEL.id)
    qtbot.waitUntil(lambda: ("load", SECOND_MODEL.id) in service.calls)
    assert session.model == SECOND_MODEL
    qtbot.waitUntil(lambda: ("update", ("c1", None, SECOND_MODEL.id)) in service.calls)


def test_a_broken_file_is_never_the_model(qtbot: QtBot, session: Session, service: FakeService) -> None:
    service.local_models = [replace(MODEL, id="x", problem=ErrorBody(code="NotGguf", fields={})), SECOND_MODEL]
    service.send_event("models", {})
    qtbot.waitUntil(lambda: len(session.models or ()) == 2)
    assert session.model == SECOND_MODEL


def test_engine_events_are_kept(qtbot: QtBot, session: Session, service: FakeService) -> None:
    service.send_event("engine", replace(ENGINE, state="loading", load_fraction=0.5))
    qtbot.waitUntil(lambda: session.engine is not None and session.engine.load_fraction == 0.5)


def test_the_first_model_is_loaded_at_once(qtbot: QtBot, session: Session, service: FakeService) -> None:
    service.local_models, service.engines = [], []
    session._refresh()
    qtbot.waitUntil(lambda: session.models == () and not session.engines)
    service.local_models = [MODEL]
    service.send_event("models", {})
    qtbot.waitUntil(lambda: ("load", MODEL.id) in service.calls)
