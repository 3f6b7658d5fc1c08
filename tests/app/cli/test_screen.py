"""What reaches the terminal."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.screen import AnswerWriter, harmless, print_facts, print_json, print_table


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("代码：\n\tx = 1", "代码：\n\tx = 1"),
        ("\x1b]0;title\x07\x1b[2Jhi", "]0;title[2Jhi"),
        ("a\rb\x9b31mc\x7f", "ab31mc"),
        ("👩‍💻", "👩‍💻"),
    ],
)
def test_control_characters_are_left_out(raw: str, clean: str) -> None:
    assert harmless(raw) == clean


@given(st.text())
def test_nothing_that_controls_gets_through(text: str) -> None:
    assert not {one for one in harmless(text) if ord(one) < 32 or 127 <= ord(one) < 160} - {"\n", "\t"}


def test_an_answer_into_a_pipe_is_byte_for_byte(capsys: pytest.CaptureFixture[str]) -> None:
    writer = AnswerWriter()
    writer.reasoning("想一想")
    writer.text("春\x1b眠")
    writer.text("")
    writer.end()
    writer.end()
    written = capsys.readouterr()
    assert (written.out, written.err) == ("春\x1b眠\n", "")


def test_thinking_is_dimmed_at_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    writer = AnswerWriter()
    writer.reasoning("想")
    writer.text("\n\n好\n")
    writer.end()
    written = capsys.readouterr()
    assert (written.out, written.err) == ("好\n", "\x1b[2m想\x1b[0m\n\n")


def test_tables_and_facts_keep_chinese_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["模型", "大小"], [["千问", "1 GB"], ["a" * 200, "[b]2[/b]"]])
    lines = capsys.readouterr().out.splitlines()
    assert [line.rstrip() for line in lines][2] == "a" * 200 + "  [b]2[/b]"
    print_facts([("内存", "8 GB"), ("cpu", "x\x1b")])
    assert capsys.readouterr().out == "内存  8 GB\ncpu   x\n"


def test_json_keeps_chinese_readable(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "春"})
    written = capsys.readouterr().out
    assert "春" in written
    assert json.loads(written) == {"text": "春"}
