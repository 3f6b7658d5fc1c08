from __future__ import annotations

from typing import Any

import pytest

from app.client.http import ServiceClient
from app.main import main
from app.values import ShareStatus
from tests.app.cli.fake_service import FakeService

CODE = "K7QF-2M4D-AAAA-BBBB-CCCC"
ON = ShareStatus(sharing=True, addresses=("192.168.1.5:11467",), code=CODE, peers=("10.0.0.2:11467",))
OFF = ShareStatus(sharing=False, addresses=(), code=CODE, peers=())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []

    def answer(*given: Any, **changes: Any) -> ShareStatus:
        made.append((*given[1:], *changes.items()))
        return ON if len(made) > 1 or given[1:] else OFF

    for name in ("share_status", "renew_share_code", "add_share_peer", "remove_share_peer", "update_settings"):
        monkeypatch.setattr(ServiceClient, name, answer)
    return made


def test_how_another_computer_gets_at_this_one_can_be_copied(
    service: FakeService, calls: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["share", "on", "--lang", "zh"]) == 0
    assert calls[0] == (("lan_share", True),)
    said = capsys.readouterr().out
    assert f"  liangli share add 192.168.1.5:11467 {CODE}\n" in said and "10.0.0.2:11467" in said


def test_what_is_asked_is_done(service: FakeService, calls: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["share"]) == 0
    assert "not shared" in capsys.readouterr().out
    assert main(["share", "code"]) == 0
    assert capsys.readouterr().out == f"{CODE}\n"
    for arguments in (["add", "10.0.0.2", "CODE"], ["remove", "10.0.0.2"]):
        assert main(["share", *arguments]) == 0
        assert calls[-1] == tuple(arguments[1:])
