"""Starting and closing the window."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.client import discover
from app.gui.application import Connector, prepare_input_methods
from app.gui.session import Session
from tests.app.gui.fake_service import ENGINE, FakeService


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"QT_IM_MODULE": "fcitx"}, {"QT_IM_MODULE": "fcitx", "QT_IM_MODULES": "wayland;fcitx;ibus"}),
        ({"QT_IM_MODULE": "ibus"}, {"QT_IM_MODULE": "ibus"}),
        ({"QT_IM_MODULE": "fcitx", "QT_IM_MODULES": "x"}, {"QT_IM_MODULE": "fcitx", "QT_IM_MODULES": "x"}),
        ({}, {}),
    ],
)
def test_chinese_input_works_where_fcitx_is_named(before: dict[str, str], after: dict[str, str]) -> None:
    prepare_input_methods(before)
    assert before == after


def connector(service: FakeService, monkeypatch: pytest.MonkeyPatch, *, running: bool) -> Connector:
    monkeypatch.setattr(discover, "find_service", lambda *_: service if running else None)
    monkeypatch.setattr(discover, "connect_or_start", lambda *_: service)
    result = Connector(Path("/data"), "zh")
    result()
    return result


def test_a_service_that_the_window_started_is_stopped_with_it(
    session: Session, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector(service, monkeypatch, running=False).let_go(session, 0)
    assert ("shutdown", None) in service.calls


def test_a_service_that_others_use_is_left_alone(
    session: Session, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector(service, monkeypatch, running=True).let_go(session, 0)
    connector(service, monkeypatch, running=False).let_go(session, 1)
    session.engines = {ENGINE.model: replace(ENGINE, running_requests=1)}
    connector(service, monkeypatch, running=False).let_go(session, 0)
    assert ("shutdown", None) not in service.calls


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    program = (
        "import sys, app.gui.application as a;"
        "heavy = {'pygments', 'markdown_it', 'pydantic', 'fastapi', 'llama_cpp', 'numpy', 'inference', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
