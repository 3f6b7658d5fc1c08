"""The model that was chosen: its detail and the plans of its quantizations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui.discover.choosing import Choosing
from app.gui.session import Session
from tests.app.gui.discover.discover_service import MODELS, DiscoverService
from tests.app.gui.plan_samples import sample_plans


@pytest.fixture
def choosing(session: Session) -> Choosing:
    return Choosing(session)


def test_everything_is_asked_and_the_best_is_chosen(qtbot: QtBot, choosing: Choosing) -> None:
    choosing.look_at("qwen3-8b", MODELS[0])
    assert choosing.reading and choosing.quantization is None
    qtbot.waitUntil(lambda: choosing.detail is not None and choosing.plans is not None)
    assert choosing.quantization is not None and choosing.quantization.name == "Q4_K_M" and not choosing.reading
    choosing.choose("Q8_0")
    choosing.take_from("modelscope")
    assert choosing.quantization.name == "Q8_0" and choosing.source == "modelscope"
    choosing.look_at("glm4-9b", MODELS[5])
    assert choosing.source == "" and choosing.plans is None


def test_an_answer_about_another_model_is_dropped(qtbot: QtBot, choosing: Choosing, service: DiscoverService) -> None:
    choosing.look_at("qwen3-8b", MODELS[0])
    choosing.look_at("Qwen/Qwen3-8B-GGUF", None)
    qtbot.waitUntil(lambda: choosing.plans is not None)
    assert choosing.plans is not None and choosing.plans.model == "Qwen/Qwen3-8B-GGUF" and choosing.detail is None
    choosing.look_at("qwen3-8b", MODELS[0])
    choosing.leave()
    qtbot.wait(40)
    assert choosing.plans is None and choosing.detail is None and not choosing.target


def test_without_a_best_the_smallest_with_a_plan_is_offered(
    qtbot: QtBot, choosing: Choosing, service: DiscoverService
) -> None:
    service.plan_answer = lambda *asked: replace(sample_plans(*asked), best=None)
    choosing.look_at("qwen3-8b", MODELS[0])
    qtbot.waitUntil(lambda: choosing.plans is not None)
    assert choosing.quantization is not None and choosing.quantization.name == "Q4_K_M"


def test_what_cannot_be_had_is_not_planned(qtbot: QtBot, choosing: Choosing, service: DiscoverService) -> None:
    choosing.look_at("chatglm-6b", MODELS[8])
    qtbot.waitUntil(lambda: choosing.detail is not None)
    assert not choosing.reading and "plans" not in [name for name, _ in service.calls]


def test_trouble_can_be_retried(qtbot: QtBot, choosing: Choosing, service: DiscoverService) -> None:
    service.plans_refusal = RemoteError(code="RepositoryWithoutGguf", fields={"repository": "a/b"}, http_status=404)
    choosing.look_at("a/b", None)
    qtbot.waitUntil(lambda: choosing.plans_trouble is not None)
    assert not choosing.reading
    service.plans_refusal = None
    choosing.retry()
    qtbot.waitUntil(lambda: choosing.plans is not None)
    assert choosing.plans_trouble is None
