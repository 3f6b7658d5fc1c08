"""What is asked for while numbers change, and which answers count."""

from __future__ import annotations

import threading

import pytest
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui.plans.planning import Planning
from app.gui.session import Session
from app.plan_values import Plans, PlanWish
from tests.app.gui.fake_service import ENGINE, MODEL, FakeService
from tests.app.gui.plan_samples import sample_plans

LARGE = "Qwen/Qwen3-8B-GGUF"


def asked(service: FakeService) -> list[tuple[str, PlanWish, bool]]:
    return [what for name, what in service.calls if name == "plans"]


@pytest.fixture
def planning(qtbot: QtBot, session: Session) -> Planning:
    planning = Planning(session)
    planning.look_at(LARGE)
    qtbot.waitUntil(lambda: planning.plan is not None and not planning.advice_is_old)
    return planning


def test_a_model_is_planned_at_once_and_with_advice_when_it_rests(planning: Planning, service: FakeService) -> None:
    assert [advice for _, _, advice in asked(service)] == [False, True]
    assert planning.plan is not None and planning.plan.quantization == "Q4_K_M"
    assert not planning.hypothetical and planning.model is None


def test_many_moves_are_few_questions_and_the_last_one_counts(
    qtbot: QtBot, planning: Planning, service: FakeService
) -> None:
    before = len(asked(service))
    for context in range(1_024, 5_121):
        planning.fix(context=context)
    qtbot.waitUntil(lambda: planning.plan is not None and planning.plan.context == 5_120)
    qtbot.waitUntil(lambda: not planning.advice_is_old)
    assert len(asked(service)) - before <= 4
    assert asked(service)[-1] == (LARGE, PlanWish(context=5_120), True)


def test_old_bars_stay_while_the_new_ones_are_worked_out(
    qtbot: QtBot, planning: Planning, service: FakeService
) -> None:
    go_on = threading.Event()

    def slow(model: str, wish: PlanWish, advice: bool) -> Plans:
        go_on.wait(5)
        return sample_plans(model, wish, advice)

    service.plan_answer = slow
    old = planning.plan
    planning.fix(parallel=4)
    qtbot.waitUntil(lambda: asked(service)[-1][1].parallel == 4)
    assert planning.plan is old and planning.wish.parallel == 4
    planning.fix(parallel=8)  # waits for its turn
    go_on.set()
    qtbot.waitUntil(lambda: planning.plan is not None and planning.plan.parallel == 8)


def test_an_answer_about_another_model_is_dropped(qtbot: QtBot, planning: Planning, service: FakeService) -> None:
    go_on = threading.Event()

    def slow(model: str, wish: PlanWish, advice: bool) -> Plans:
        if model == "slow/model":
            go_on.wait(5)
        return sample_plans(model, wish, advice)

    service.plan_answer = slow
    planning.look_at("slow/model")
    assert planning.waiting
    planning.look_at(MODEL.id)
    qtbot.waitUntil(lambda: planning.plan is not None)
    go_on.set()
    qtbot.waitUntil(lambda: not planning.advice_is_old)
    assert planning.plans is not None and planning.plans.model == MODEL.id
    assert planning.model == MODEL


def test_another_model_keeps_the_imagined_computer_and_forgets_the_numbers(
    qtbot: QtBot, planning: Planning, service: FakeService
) -> None:
    planning.fix(context=4_096, kv="q8_0")
    planning.imagine(("RTX 4060 8GB",), "16G")
    planning.look_at(MODEL.id)
    assert planning.wish == PlanWish(gpus=("RTX 4060 8GB",), ram="16G")
    qtbot.waitUntil(lambda: planning.plans is not None and planning.plans.hypothetical)


def test_a_refusal_is_kept_until_something_changes(qtbot: QtBot, planning: Planning, service: FakeService) -> None:
    service.plans_refusal = RemoteError(code="RepositoryWithoutGguf", fields={"repository": "a/b"}, http_status=404)
    planning.look_at("a/b")
    qtbot.waitUntil(lambda: planning.trouble is not None)
    assert planning.plans is None and not planning.waiting
    service.plans_refusal = None
    planning.ask_again()
    qtbot.waitUntil(lambda: planning.plan is not None)
    assert planning.trouble is None


def test_the_chosen_quantization_stays_chosen(qtbot: QtBot, planning: Planning) -> None:
    planning.choose("Q8_0")
    planning.fix(context=2_048)
    qtbot.waitUntil(lambda: planning.plan is not None and planning.plan.context == 2_048)
    assert planning.plan is not None and planning.plan.quantization == "Q8_0"
    planning.choose("IQ9_X")
    assert planning.plan is None and planning.quantization is not None and planning.quantization.error is not None


def test_the_list_is_planned_one_after_another_and_anew_for_another_computer(
    qtbot: QtBot, planning: Planning, service: FakeService
) -> None:
    planning.preview((MODEL.id, "other"))
    qtbot.waitUntil(lambda: set(planning.previews) == {MODEL.id, "other"})
    planning.imagine(("none",), "")
    qtbot.waitUntil(
        lambda: [one.hypothetical for one in planning.previews.values() if isinstance(one, Plans)] == [True, True]
    )


def test_a_failure_in_the_list_is_tried_again(qtbot: QtBot, planning: Planning, service: FakeService) -> None:
    service.plans_refusal = RemoteError(code="PlanFailed", fields={"path": "m", "detail": ""}, http_status=422)
    planning.preview((MODEL.id,))
    qtbot.waitUntil(lambda: isinstance(planning.previews.get(MODEL.id), RemoteError))
    service.plans_refusal = None
    planning.preview((MODEL.id,))
    qtbot.waitUntil(lambda: isinstance(planning.previews[MODEL.id], Plans))


def test_nothing_is_asked_by_itself_while_nobody_looks(
    qtbot: QtBot, planning: Planning, session: Session, service: FakeService
) -> None:
    planning.seen = False
    before = len(asked(service))
    service.engines = []
    with qtbot.waitSignal(session.engines_changed):
        service.send_event("engine_unloaded", {"model": ENGINE.model})
    assert len(asked(service)) == before


def test_a_model_that_was_loaded_is_planned_again(
    qtbot: QtBot, planning: Planning, session: Session, service: FakeService
) -> None:
    qtbot.waitUntil(lambda: bool(session.engines))
    before = len(asked(service))
    service.engines = []
    service.send_event("engine_unloaded", {"model": ENGINE.model})
    qtbot.waitUntil(lambda: len(asked(service)) > before)
