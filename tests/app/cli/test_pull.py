from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.cli import pull
from app.client.http import ServiceClient
from app.download_values import DownloadStatus
from app.errors import RemoteError
from app.main import main
from app.plan_values import PlannedQuantization, Plans, PlanWish
from app.values import ErrorBody
from tests.app.cli.fake_service import FakeService

STATUS = DownloadStatus(id="d1", model="a/b", name="b Q4_K_M", quantization="Q4_K_M", state="transferring")


class Queue:
    """What the service says about one download, step by step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *steps: DownloadStatus | Exception | None) -> None:
        self.steps = list(steps)
        self.added: list[tuple[str, list[str], dict[str, str]]] = []
        self.paused: list[str] = []
        self.plan_error: RemoteError | None = None
        monkeypatch.setattr(pull, "POLL_SECONDS", 0)
        monkeypatch.setattr(ServiceClient, "plans", lambda client, *_, **__: self.plans())
        monkeypatch.setattr(ServiceClient, "add_download", lambda client, *given: self.add(*given))
        monkeypatch.setattr(ServiceClient, "downloads", lambda client: self.downloads())
        monkeypatch.setattr(ServiceClient, "pause_download", lambda client, one: self.paused.append(one))

    def plans(self) -> Plans:
        if self.plan_error is not None:
            raise self.plan_error
        refused = ErrorBody(code="ArchitectureUnknown", fields={"path": "x", "architecture": "new"})
        return Plans(
            model="a/b",
            quantizations=tuple(
                PlannedQuantization(name=name, size_bytes=1000, plan=None, error=refused) for name in ("Q2_K", "Q4_K_M")
            ),
            best=1,
            machine=(),
            hypothetical=False,
            wish=PlanWish(),
        )

    def add(self, model: str, sources: list[str], endpoints: dict[str, str]) -> DownloadStatus:
        self.added.append((model, sources, endpoints))
        return STATUS

    def downloads(self) -> list[DownloadStatus]:
        step: Any = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, BaseException):
            raise step
        return [] if step is None else [step]


DONE = replace(STATUS, state="done", files=("a/b/b-q4_k_m.gguf",))


def test_the_best_quantization_is_fetched_to_the_end(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    queue = Queue(monkeypatch, STATUS, replace(STATUS, state="verifying", checked_bytes=5), DONE)
    assert main(["pull", "a/b", "--source", "hf-mirror", "--yes"]) == 0
    assert queue.added == [("a/b:Q4_K_M", ["hf-mirror"], {"HF_ENDPOINT": "https://mirror.example"})]
    assert "a/b/b-q4_k_m.gguf" in capsys.readouterr().err


def test_what_is_named_is_taken(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(monkeypatch, DONE)
    assert main(["pull", "a/b:Q2_K"]) == 0
    assert queue.added[0][0] == "a/b:Q2_K"


def test_a_failure_is_one_line_and_a_code(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ErrorBody(code="NoSourceWorked", fields={"file": "x", "detail": "y"})
    Queue(monkeypatch, replace(STATUS, state="failed", error=error))
    assert main(["pull", "a/b", "--lang", "zh"]) == 51
    assert capsys.readouterr().err.splitlines()[-1].startswith("错误：所有下载源都用不了")


@pytest.mark.parametrize("end", [None, replace(STATUS, state="paused")])
def test_one_that_others_stop_is_no_success(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, end: DownloadStatus | None
) -> None:
    Queue(monkeypatch, STATUS, end)
    assert main(["pull", "a/b"]) == 1


def test_no_such_repository_downloads_nothing(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(monkeypatch, DONE)
    queue.plan_error = RemoteError(code="RemoteClosed", fields={"address": "a/b"}, http_status=403)
    assert main(["pull", "a/b"]) == 57 and not queue.added


def test_hubs_that_only_the_asker_reaches_are_left_to_the_download(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    queue = Queue(monkeypatch, DONE)
    queue.plan_error = RemoteError(code="RemoteUnreachable", fields={"address": "a/b", "problems": []}, http_status=502)
    assert main(["pull", "a/b"]) == 0 and queue.added[0][0] == "a/b"


def test_a_kept_listing_is_said_to_be_one(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = Queue(monkeypatch, DONE)
    kept = replace(queue.plans(), listing_age_seconds=3 * 86_400.0)
    monkeypatch.setattr(ServiceClient, "plans", lambda client, *_, **__: kept)
    assert main(["pull", "a/b", "--lang", "zh", "--yes"]) == 0
    assert "文件列表是 3 天前的" in capsys.readouterr().err


def test_what_cannot_be_planned_can_be_downloaded(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(monkeypatch, DONE)
    queue.plan_error = RemoteError(
        code="ArchitectureUnknown", fields={"path": "x", "architecture": "new"}, http_status=422
    )
    assert main(["pull", "a/b"]) == 0 and queue.added[0][0] == "a/b"


def test_ctrl_c_pauses(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = Queue(monkeypatch, KeyboardInterrupt())  # type: ignore[arg-type]
    assert main(["pull", "a/b"]) not in (0, None)
    assert queue.paused == ["d1"]
    assert "Paused" in capsys.readouterr().err


def test_a_starter_is_fetched_as_one(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("app.cli.starter.fetch", lambda client, offer, language: fetched.append(offer.key))
    assert main(["pull", "small"]) == 0 and fetched == ["small"]


def test_remaining_time() -> None:
    assert [pull._clock(seconds) for seconds in (None, 0, 65, 7325)] == ["-:--:--", "0:00:00", "0:01:05", "2:02:05"]
