"""`liangli chat`, from a pipe."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from app.cli import chat, conversation
from app.cli.event_feed import EventFeed
from app.cli.slash_commands import file_name
from app.main import main
from app.values import PlanChange
from tests.app.cli.fake_service import MODEL, FakeService


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "QUIET_SECONDS", 0.05)


def _type(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(lines).encode())))


def test_messages_are_answered_and_saved_in_one_chat(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _type(monkeypatch, "背诗", "", "再来")
    assert main(["chat", "--system", "只说中文"]) == 0
    assert capsys.readouterr().out == "春眠不觉晓\n春眠不觉晓\n"
    assert service.asked("POST", "/chats") == [{"model": MODEL.id, "system_prompt": "只说中文"}]
    assert [body["text"] for body in service.asked("POST", "/chats/c/messages")] == ["背诗", "再来"]


def test_lost_events_lose_no_text(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.withheld_deltas = 1
    _type(monkeypatch, "背诗")
    assert main(["chat"]) == 0
    assert capsys.readouterr().out == "春眠不觉晓\n"


def test_what_was_lowered_is_said(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change: dict[str, Any] = {"kind": "batch", "fields": {"before_tokens": 512, "after_tokens": 256}}
    service.engines = []
    service.load_changes = (PlanChange(**change),)
    service._emit("plan_changed", {"model": "another", "name": "Another", "change": change})
    service._emit("plan_changed", {"model": MODEL.id, "name": MODEL.name, "change": change})
    _type(monkeypatch, "背诗")
    assert main(["chat"]) == 0
    said = capsys.readouterr()
    assert said.out == "春眠不觉晓\n" and said.err.count("256") == 2


def test_ctrl_c_stops_the_answer_and_not_the_program(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.hold_answer = True
    interrupted: list[bool] = []
    follow = EventFeed.next

    def next_event(feed: EventFeed, timeout_seconds: float) -> object:
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        return follow(feed, 0.01)

    monkeypatch.setattr(EventFeed, "next", next_event)
    _type(monkeypatch, "背诗", "/new")
    assert main(["chat"]) == 0
    written = capsys.readouterr()
    assert written.out == "春眠\n"
    assert "[stopped]" in written.err
    assert "A new chat has begun." in written.err
    assert service.asked("POST", "/chats/c/stop") == [{"message_id": "m"}]


def test_slash_commands(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved = tmp_path / "poem.md"
    _type(
        monkeypatch,
        "/regenerate",
        f"/save {saved}",
        "/model",
        "/model glm",
        "/system",
        "/system 简短",
        "/what",
        "/help",
        "背诗",
        "/regenerate",
        "/model 0.5",
        f"/save {saved}",
        f"/save {saved}",
        f"/save {tmp_path}/none/poem.md",
        "/exit",
        "never sent",
    )
    assert main(["chat", "--lang", "zh"]) == 0
    written = capsys.readouterr()
    for said in (
        "这个对话里还没有回答。",
        f"当前模型：{MODEL.id}",
        "没有名为“glm”的模型",
        "还没有设置系统提示词。",
        "系统提示词已更新。",
        "没有 /what 这个命令",
        "/regenerate     重新生成",
        f"已换成 {MODEL.name}。",
        f"已保存到 {saved}",
        "已经存在",
        "无法保存到",
        "对话已保存，再见。",
    ):
        assert said in written.err, said
    assert service.asked("POST", "/chats") == [{"model": MODEL.id, "system_prompt": "简短"}]
    assert len(service.asked("POST", "/chats/c/messages")) == 1
    assert service.asked("POST", "/chats/c/regenerate") == [{"message_id": "m"}]
    assert saved.read_text(encoding="utf-8") == "# 春/晓?\n\n> 只说中文\n\n## 我\n\n背诗\n\n## 模型\n\n春眠不觉晓\n"


@pytest.mark.parametrize(
    ("title", "name"), [("春/晓?", "春晓.md"), ("..", "chat.md"), ("a" * 90, "a" * 60 + ".md"), ("\x1b", "chat.md")]
)
def test_file_names(title: str, name: str) -> None:
    assert file_name(title) == name


def test_lines_from_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert list(chat._lines()) == []
