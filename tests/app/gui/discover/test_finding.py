"""What the page asks the service, when, and which answers it takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.errors import RemoteError
from app.gui.discover.finding import Finding
from app.gui.session import Session
from tests.app.gui.discover.discover_service import FITS, MODELS, DiscoverService


@pytest.fixture
def finding(qtbot: QtBot, session: Session) -> Finding:
    finding = Finding(session)
    finding.start()
    qtbot.waitUntil(lambda: bool(finding.models))
    return finding


def asked(service: DiscoverService, name: str) -> list[object]:
    return [what for call, what in service.calls if call == name]


def test_it_asks_only_while_it_is_seen(qtbot: QtBot, session: Session, service: DiscoverService) -> None:
    finding = Finding(session)
    finding.ask()
    assert not asked(service, "catalogue") and finding.waiting
    finding.start()
    qtbot.waitUntil(lambda: bool(finding.models))
    assert len(asked(service, "catalogue")) == 1


def test_typing_asks_once_when_it_rests(qtbot: QtBot, finding: Finding, service: DiscoverService) -> None:
    for text in ("g", "gl", "glm", "glm "):
        finding.search(text)
    qtbot.waitUntil(lambda: [one.id for one in finding.models] == ["glm4-9b", "chatglm-6b"])
    assert [query.text for query in asked(service, "catalogue")] == ["", "glm"]  # type: ignore[attr-defined]


def test_a_late_answer_is_dropped(qtbot: QtBot, finding: Finding, service: DiscoverService) -> None:
    finding.change(commercial=True)
    finding.change(commercial=False, abilities=frozenset({"code"}))
    qtbot.waitUntil(lambda: [one.id for one in finding.models] == ["qwen2.5-coder-1.5b"])
    qtbot.wait(30)
    assert len(finding.models) == 1


def test_fits_are_asked_for_what_is_seen_first(qtbot: QtBot, finding: Finding, service: DiscoverService) -> None:
    service.late_fits = True
    finding.want_fits(("r1-14b", "kimi-k2.6"))
    qtbot.waitUntil(lambda: bool(asked(service, "fits")))
    first = asked(service, "fits")[0]
    assert isinstance(first, tuple) and first[0] == "r1-14b" and "kimi-k2.6" not in first
    assert sorted(first) == sorted(FITS)
    with qtbot.waitSignal(finding.fits_changed) as changed:
        service.send_event("catalogue_fit", FITS["r1-14b"])
    assert changed.args == [frozenset({"r1-14b"})] and finding.fits == {"r1-14b": FITS["r1-14b"]}
    finding.want_fits(("r1-14b",))
    qtbot.wait(120)
    assert len(asked(service, "fits")) == 1  # nothing on the screen waits, and the others were named already
    assert finding.not_known == 7


def test_the_order_follows_the_fits_until_the_user_works_with_the_list(
    qtbot: QtBot, finding: Finding, service: DiscoverService
) -> None:
    qtbot.waitUntil(lambda: finding.models[1].id == "qwen3-8b" and finding.models[-3].id == "qwen3-32b")
    finding.settled = True
    before = finding.models
    service.send_event("catalogue_fit", replace(FITS["qwen3-8b"], verdict="does_not_fit"))
    qtbot.waitUntil(lambda: finding.fits["qwen3-8b"].verdict == "does_not_fit")
    qtbot.wait(250)
    assert finding.models == before
    service.send_event("models", {})  # the same question is asked anew
    with qtbot.waitSignal(finding.changed):
        pass
    assert finding.models == before
    finding.change(sort="size")
    assert finding.models[0].id == "minicpm4-0.5b" and not finding.settled


def test_a_filter_of_fits_needs_no_question(qtbot: QtBot, finding: Finding, service: DiscoverService) -> None:
    qtbot.waitUntil(lambda: len(finding.fits) == len(FITS))
    finding.change(fits=True)
    assert "qwen3-32b" not in [one.id for one in finding.models] and len(asked(service, "catalogue")) == 1
    finding.change(here=True)
    assert [one.id for one in finding.models] == ["qwen2.5-coder-1.5b"]


def test_another_catalogue_forgets_the_fits(qtbot: QtBot, finding: Finding, service: DiscoverService) -> None:
    qtbot.waitUntil(lambda: bool(finding.fits))
    service.late_fits = True
    service.catalogue_models = MODELS[:3]
    service.send_event("catalogue", {})
    qtbot.waitUntil(lambda: len(finding.models) == 3)
    assert not finding.fits


def test_a_new_model_here_is_noticed(qtbot: QtBot, finding: Finding, service: DiscoverService) -> None:
    service.catalogue_models = (replace(MODELS[0], local=("q",)), *MODELS[1:])
    service.send_event("models", {})
    qtbot.waitUntil(lambda: (one := finding.model("qwen3-8b")) is not None and one.local == ("q",))


def test_trouble_is_kept_until_it_is_over(qtbot: QtBot, finding: Finding, service: DiscoverService) -> None:
    service.catalogue_refusal = RemoteError(code="PlanFailed", fields={}, http_status=500)
    finding.change(commercial=True)
    qtbot.waitUntil(lambda: finding.trouble is not None)
    assert finding.models  # what was found before stays
    service.catalogue_refusal = None
    finding.ask()
    qtbot.waitUntil(lambda: finding.trouble is None)
