"""`liangli run`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from app.main import main
from tests.app.cli.fake_service import MODEL, FakeService

COMPLETIONS = ("POST", "/v1/chat/completions")


def test_the_answer_is_all_that_is_on_standard_output(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "背", "诗", "--system", "只说中文", "--seed", "7", "--temperature", "0", "--top-k", "3"]) == 0
    assert capsys.readouterr().out == "春眠不觉晓\n"
    (body,) = service.asked(*COMPLETIONS)
    assert body["messages"] == [{"role": "system", "content": "只说中文"}, {"role": "user", "content": "背 诗"}]
    assert (body["model"], body["seed"], body["temperature"], body["top_k"]) == (MODEL.id, 7, 0.0, 3)
    assert not {"top_p", "min_p", "max_tokens"} & set(body)
    assert service.asked("POST", "/engines/load") == []


def test_piped_text_goes_below_the_prompt(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes("内容\n".encode("gbk"))
    with (tmp_path / "x").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["run", "总结"]) == 0
    assert service.asked(*COMPLETIONS)[0]["messages"][-1]["content"] == "总结\n\n内容"


def test_nothing_to_answer_is_a_wrong_command_line(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 2
    assert "nothing to answer" in capsys.readouterr().err
    assert service.requests == []


def test_json(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--json", "背诗"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "model": MODEL.id,
        "text": "春眠不觉晓",
        "reasoning": "",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }


def test_a_file_of_ones_own_and_a_context_length(service: FakeService, tmp_path: Path) -> None:
    assert main(["run", "--file", str(tmp_path / "m.gguf"), "--ctx", "8192", "hi"]) == 0
    assert service.asked("POST", "/models/import") == [{"path": str(tmp_path / "m.gguf")}]
    assert service.asked("POST", "/engines/load") == [{"model": "imported", "context_tokens": 8192}]
    assert service.asked(*COMPLETIONS)[0]["model"] == "imported"


def test_an_unloaded_model_is_loaded_first(service: FakeService) -> None:
    service.engines = []
    assert main(["run", "hi"]) == 0
    routes = [path for _, path, _ in service.requests]
    assert routes.index("/engines/load") < routes.index("/v1/chat/completions")


def test_ctrl_c_stops_the_request(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", Interrupting())
        assert main(["run", "hi"]) == 130
    assert service.completions_closed == 1


def test_an_unknown_model(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--model", "glm", "hi", "--lang", "zh"]) == 8
    assert capsys.readouterr().err == f"错误：本机没有名为“glm”的模型。现有：{MODEL.id}\n"
