"""The downloads of the models on the page."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui.discover.fetching import Fetching, target_of
from app.gui.session import Session
from tests.app.gui.discover.discover_service import DiscoverService, status


@pytest.fixture
def fetching(session: Session) -> Fetching:
    return Fetching(session)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("qwen3-8b:Q4_K_M", "qwen3-8b"),
        ("qwen3-8b", "qwen3-8b"),
        ("Qwen/Qwen3-8B-GGUF:a.gguf", "Qwen/Qwen3-8B-GGUF"),
        ("https://example.org/a.gguf", "https://example.org/a.gguf"),
    ],
)
def test_a_download_belongs_to_what_it_was_named_after(name: str, target: str) -> None:
    assert target_of(name) == target


def test_the_queue_and_its_events_are_followed(qtbot: QtBot, fetching: Fetching, service: DiscoverService) -> None:
    service.downloads_now = [status("glm4-9b:Q4_K_M"), status("qwen3-8b:Q8_0", id="d2", state="failed")]
    fetching.refresh()
    qtbot.waitUntil(lambda: fetching.of("GLM4-9b") is not None)
    with qtbot.waitSignal(fetching.changed, check_params_cb=lambda target: target == "qwen3-8b"):
        service.send_event("download", status("qwen3-8b:Q4_K_M", id="d3", state="queued"))
    assert (one := fetching.of("qwen3-8b")) is not None and one.id == "d3"  # before the one that ended
    service.send_event("download_removed", {"id": "d1"})
    qtbot.waitUntil(lambda: fetching.of("glm4-9b") is None)


def test_a_download_is_asked_for_with_its_quantization(
    qtbot: QtBot, fetching: Fetching, service: DiscoverService
) -> None:
    fetching.add("qwen3-8b", "Q5_K_M", ("modelscope",))
    assert fetching.asked("qwen3-8b")
    qtbot.waitUntil(lambda: fetching.of("qwen3-8b") is not None)
    assert ("add_download", ("qwen3-8b:Q5_K_M", ("modelscope",))) in service.calls and not fetching.asked("qwen3-8b")


def test_a_refusal_is_kept_for_its_model(qtbot: QtBot, fetching: Fetching, service: DiscoverService) -> None:
    service.download_refusal = RemoteError(code="RepositoryWithoutGguf", fields={"repository": "a/b"}, http_status=404)
    fetching.add("a/b")
    qtbot.waitUntil(lambda: "a/b" in fetching.troubles)
    assert not fetching.asked("a/b") and fetching.of("a/b") is None
    service.download_refusal = None
    fetching.add("a/b")
    assert "a/b" not in fetching.troubles


def test_pause_resume_and_cancel(qtbot: QtBot, fetching: Fetching, service: DiscoverService) -> None:
    service.downloads_now = [status("glm4-9b:Q4_K_M")]
    fetching.refresh()
    qtbot.waitUntil(lambda: fetching.of("glm4-9b") is not None)
    fetching.pause("glm4-9b")
    qtbot.waitUntil(lambda: (one := fetching.of("glm4-9b")) is not None and one.state == "paused")
    fetching.resume("glm4-9b")
    qtbot.waitUntil(lambda: (one := fetching.of("glm4-9b")) is not None and one.state == "transferring")
    fetching.cancel("glm4-9b")
    qtbot.waitUntil(lambda: fetching.of("glm4-9b") is None)
    fetching.cancel("glm4-9b")
    assert [name for name, _ in service.calls if name == "cancel_download"] == ["cancel_download"]
