"""Text from pipes and arguments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.piped_text import argument_text, decode, joined, read_piped_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_chinese_in_every_usual_encoding(encoding: str) -> None:
    assert decode("春眠不觉晓，处处闻啼鸟。".encode(encoding)) == "春眠不觉晓，处处闻啼鸟。"


@given(st.binary())
def test_any_bytes_become_text_that_can_be_sent(content: bytes) -> None:
    decode(content).encode("utf-8")


def test_an_argument_in_a_foreign_encoding() -> None:
    assert argument_text(os.fsdecode("总结".encode("gbk"))) == "总结"
    assert argument_text("总结") == "总结"


@pytest.mark.parametrize(
    ("prompt", "piped", "expected"),
    [("总结", "text\n", "总结\n\ntext"), ("", "text\n", "text"), ("总结", "\n", "总结"), (" ", "", "")],
)
def test_prompt_and_pipe(prompt: str, piped: str, expected: str) -> None:
    assert joined(prompt, piped) == expected


def test_only_pipes_and_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "text"
    path.write_text("内容", encoding="utf-8")
    with path.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert read_piped_text() == "内容"
    with Path(os.devnull).open() as device:
        monkeypatch.setattr("sys.stdin", device)
        assert read_piped_text() == ""
    monkeypatch.setattr("sys.stdin", None)
    assert read_piped_text() == ""
