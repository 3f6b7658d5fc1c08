"""serve, status, ps, ls and stop."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app import paths
from app.main import main
from app.values import ErrorBody
from tests.app.cli.fake_service import MODEL, FakeService

SERVICE_PID = 2**22 + 1


def test_status(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--lang", "zh"]) == 0
    written = capsys.readouterr().out
    assert "地址          http://127.0.0.1:11466\n" in written
    assert "可用 8.00 GB / 共 16.0 GB；服务占用 90.0 MB" in written
    assert main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["base_url"], found["token"], found["service_pid"]) == ("http://127.0.0.1:11466", "t0ken", SERVICE_PID)
    assert [(engine["model"], engine["pid"]) for engine in found["engines"]] == [(MODEL.id, 77)]


def test_without_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == 3
    assert json.loads(capsys.readouterr().out) == {"running": False}
    assert main(["ps", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["stop"]) == 0
    assert "not running" in capsys.readouterr().err
    assert paths.read_runtime() is None


def test_ps(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ps"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["model", "state", "process", "context", "memory", "requests", "speed"]
    assert row.split("  ")[0] == MODEL.id
    assert "31.2 tokens/s" in row
    assert main(["ps", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["pid"] == 77


def test_ls(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls"]) == 0
    assert "491 MB" in capsys.readouterr().out
    assert main(["ls", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == MODEL.id
    service.models = [replace(MODEL, problem=ErrorBody(code="ModelLoadFailed", fields={"path": "q", "detail": ""}))]
    assert main(["ls"]) == 0
    assert f"{MODEL.id} cannot be used: The model q could not be loaded" in capsys.readouterr().err
    service.models = []
    assert main(["ls"]) == 0
    assert "liangli get" in capsys.readouterr().err


def test_serve_in_the_background(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 0
    assert "http://127.0.0.1:11466/v1" in capsys.readouterr().out
    assert main(["serve", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["service_pid"] == SERVICE_PID


def test_options_of_serve_reach_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def connect_or_start(folder: object, language: object, options: object, *, started: object) -> object:
        seen.append((options, started))
        return FakeService().client()

    monkeypatch.setattr("app.client.discover.connect_or_start", connect_or_start)
    monkeypatch.setattr("app.cli.connection.launch", lambda folder, options: options)
    options = ["--port", "4000", "--token", "abc"]
    assert main(["serve", *options]) == 0
    assert seen == [(options, ["--lang", "en", *options])], "the service is started first, with its options"


def test_stop_waits_for_the_end(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop"]) == 0
    assert len(service.asked("POST", "/shutdown")) == 1
    assert "has stopped" in capsys.readouterr().err
