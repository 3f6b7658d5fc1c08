"""`liangli check`: one line for every file, whatever it is, and an exit code that says what is wrong."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from app.main import main
from tests.models_catalog.gguf.hostile import sound_models
from tests.tiny_models import write_tiny_hybrid, write_tiny_llama

TEMPLATE_FAILED = 24


def _check(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Exit code and the one line that was printed."""
    code = main([*options, "check", str(path)])
    printed = capsys.readouterr()
    line = (printed.out or printed.err).rstrip("\n")
    assert line and "\n" not in line and "Traceback" not in line
    assert bool(printed.out) is (code == 0)
    assert 0 <= code <= 99
    return code, line


def test_a_sound_model_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = _check(write_tiny_llama(tmp_path / "模型.gguf"), capsys, "--lang", "zh")
    assert code == 0
    assert re.fullmatch(r"正常：Tiny llama 0（llama，F32，\d+ KB），加载用了 [\d.]+ 秒，能正常回答", line)


def test_models_without_a_template_and_recurrent_ones_answer_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--json", str(write_tiny_hybrid(tmp_path / "model.gguf", template=None))]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["architecture"], found["has_chat_template"]) == ("qwen35", False)
    assert found["vocabulary_size"] > 256


def test_what_is_wrong_with_a_template_is_said_in_lines_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = (
        "{% for message in messages %}{% if 'secret' in message.content %}{{ 'refuse\x1b[2J' }}{% endif %}"
        "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}"
        "{{ '<|im_start|>assistant\n' }}"
    )
    path = write_tiny_llama(tmp_path / "model.gguf", template=template)
    assert main(["--lang", "zh", "check", str(path)]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.startswith("注意：消息里出现这些字词时，模板会改变行为：secret")
    assert main(["check", "--json", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)["template"]
    assert (found["severity"], found["usable"], found["chat_profile"]) == ("warning", True, None)
    assert {"content_condition", "tools_ignored"} <= {finding["key"] for finding in found["findings"]}
    assert all(finding["message"] for finding in found["findings"])


def test_a_profile_is_offered_to_a_file_without_a_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.gguf"
    pieces = sound_models()["llama"].without("tokenizer.chat_template").with_value("general.name", b"Yi-6B-Chat")
    path.write_bytes(pieces.encode())
    assert main(["--lang", "en", "check", str(path)]) == 0
    _, missing, offered = capsys.readouterr().out.splitlines()
    assert missing.startswith("broken: ") and "no chat template" in missing
    assert "yi" in offered


def test_a_template_that_fails_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = _check(write_tiny_llama(tmp_path / "model.gguf", template="{{ 1 / 0 }}"), capsys, "--lang", "zh")
    assert code == TEMPLATE_FAILED
    assert "模板" in line


def test_weights_that_are_no_numbers_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.gguf"
    pieces = sound_models()["qwen2"]
    not_numbers = b"\0\0\xc0\x7f" * (len(pieces.weight("output.weight").data) // 4)
    path.write_bytes(pieces.with_weight("output.weight", data=not_numbers).encode())
    _check(path, capsys)


def test_what_the_engine_refuses_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.gguf"
    pieces = sound_models()["qwen2"]
    path.write_bytes(pieces.with_weight("blk.0.attn_q.weight", name=b"blk.0.attn_x.weight").encode())
    code, line = _check(path, capsys)
    assert 20 <= code < 30
    assert "attn_q" in line


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", 33),
        (b"hello", 34),
        (b"<!DOCTYPE html><html></html>", 34),
        (b"ggml" + bytes(100), 35),
        (b"GGUF\x01\0\0\0" + bytes(100), 36),
        (b"GGUF\0\0\0\x03" + bytes(100), 37),
        (b"GGUF\x03\0\0\0" + b"\xff" * 100, 38),
        (b"GGUF\x03\0\0\0" + bytes(16), 43),
    ],
)
def test_files_that_are_no_models(
    content: bytes, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert _check(path, capsys)[0] == code
    assert _check(path, capsys, "--lang", "zh")[0] == code


def test_an_unfinished_download_says_how_much_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_tiny_llama(tmp_path / "model.gguf")
    os.truncate(path, 300_000)
    code, line = _check(path, capsys)
    assert code == 39
    assert "300 KB" in line


def test_paths_that_are_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(tmp_path / "nothing", capsys)[0] == 30
    assert _check(tmp_path, capsys)[0] == 31
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert _check(tmp_path / "pipe", capsys)[0] == 31


def test_names_in_a_file_cannot_write_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.gguf"
    name = b"evil\x1b[2J\nname\x07" + b"x" * 10_000
    path.write_bytes(sound_models()["llama"].with_value("general.name", name).encode())
    code, line = _check(path, capsys)
    assert code == 0
    assert "\x1b" not in line and "\x07" not in line
    assert len(line) < 1000
