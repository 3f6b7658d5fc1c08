"""The first model: choosing and fetching."""

from __future__ import annotations

import io

import pytest

from app.cli import starter
from app.errors import NoModelInstalled, RemoteError
from app.main import main
from app.values import ErrorBody
from tests.app.cli.fake_service import LARGE, SMALL, FakeService, fetch_status


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "POLL_SECONDS", 0.0)


@pytest.mark.parametrize(("typed", "chosen"), [("1\n", LARGE), ("2\n", SMALL), ("\n", LARGE), ("x\n9\n2\n", SMALL)])
def test_the_choice(typed: str, chosen: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert starter.choose_offer([LARGE, SMALL], "zh") is chosen


@pytest.mark.parametrize("typed", ["n\n", "不\n", ""])
def test_no_is_an_answer(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with pytest.raises(NoModelInstalled):
        starter.choose_offer([LARGE, SMALL], "zh")


def test_where_nobody_can_be_asked_the_smallest_is_fetched(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.models = []
    service.fetch_states = [
        fetch_status("choosing_source"),
        fetch_status("transferring", 50),
        fetch_status("done", 100),
    ]
    assert main(["run", "背诗"]) == 0
    assert service.asked("POST", "/starter/fetch") == [{"key": "small"}]
    written = capsys.readouterr()
    assert written.out == "春眠不觉晓\n"
    assert "Fetching Coder 0.5B (491 MB)" in written.err


def test_a_failed_fetch_is_said(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    service.fetch_states = [fetch_status("failed", error=ErrorBody(code="NoSourceWorked", fields={"detail": ""}))]
    assert main(["get", "small"]) == 51
    assert "None of the download sources works" in capsys.readouterr().err


def test_ctrl_c_cancels_the_fetch(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.starter.time.sleep", interrupted)
    service.fetch_states = [fetch_status("transferring")]
    assert main(["get", "small"]) == 130
    assert service.asked("POST", "/starter/cancel") == [{"key": "small"}]


def test_get_knows_what_there_is(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "huge"]) == 50
    assert "large, small" in capsys.readouterr().err


def test_a_fetch_cancelled_elsewhere_leaves_no_model(service: FakeService) -> None:
    with pytest.raises(NoModelInstalled):
        service.fetch_states = [fetch_status("cancelled")]
        starter.fetch(service.client(), SMALL, "en")
    with pytest.raises(RemoteError):
        service.fetch_states = [fetch_status("failed", error=ErrorBody(code="ContentWrong", fields={}))]
        starter.fetch(service.client(), SMALL, "en")
