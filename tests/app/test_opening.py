"""What may be opened, and what of it is understood."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import OpeningRefused
from app.opening import OpenFile, OpenModel, absolute, read_opening, take_openings

COMMANDS = ("chat", "ls")


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        (["模型.gguf"], True),
        (["a.gguf", "liangli://model?hf=a/b"], True),
        (["file:///a%20b.gguf"], True),
        (["./folder/x"], True),
        (["ls"], False),
        (["ls", "a.gguf"], False),
        (["lss"], False),
        (["--yes", "a.gguf"], False),
        ([], False),
    ],
)
def test_what_is_no_command_line(arguments: list[str], taken: bool) -> None:
    assert take_openings(arguments, COMMANDS) == (tuple(arguments) if taken else ())


@pytest.mark.parametrize(
    ("text", "opening", "shown"),
    [
        (
            "liangli://model?hf=Qwen/Qwen3-8B-GGUF",
            OpenModel(hub="hf", repository="Qwen/Qwen3-8B-GGUF"),
            "hf.co/Qwen/Qwen3-8B-GGUF",
        ),
        (
            "LIANGLI://model/?ms=Qwen/Qwen3-8B-GGUF&file=q4/Qwen3-8B-Q4_K_M.gguf",
            OpenModel(hub="ms", repository="Qwen/Qwen3-8B-GGUF", file="q4/Qwen3-8B-Q4_K_M.gguf"),
            "modelscope.cn/models/Qwen/Qwen3-8B-GGUF/q4/Qwen3-8B-Q4_K_M.gguf",
        ),
        ("liangli://model?hf=a%2Fb", OpenModel(hub="hf", repository="a/b"), "hf.co/a/b"),
    ],
)
def test_addresses(text: str, opening: OpenModel, shown: str) -> None:
    assert read_opening(text) == opening
    assert opening.text == shown


@pytest.mark.parametrize(
    "text", ["/models/我的 模型.gguf", "file:///models/%E6%88%91%E7%9A%84%20%E6%A8%A1%E5%9E%8B.gguf"]
)
def test_files(text: str) -> None:
    assert read_opening(text) == OpenFile(path=Path("/models/我的 模型.gguf"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unreadable"),
        ("a\x1b.gguf", "unreadable"),
        ("x" * 5000, "unreadable"),
        ("notes.txt", "no_model"),
        ("file:///etc/passwd", "no_model"),
        ("file://server/share/x.gguf", "elsewhere"),
        ("\\\\server\\share\\x.gguf", "elsewhere"),
        ("//server/share/x.gguf", "elsewhere"),
        ("file:////server/share/x.gguf", "elsewhere"),
        ("liangli://", "unknown"),
        ("liangli:model?hf=a/b", "unknown"),
        ("liangli://delete?hf=a/b", "unknown"),
        ("liangli://model", "unknown"),
        ("liangli://model/x?hf=a/b", "unknown"),
        ("liangli://model?hf=a/b&ms=a/b", "unknown"),
        ("liangli://model?hf=a/b&hf=c/d", "unknown"),
        ("liangli://model?hf=a/b&start=1", "unknown"),
        ("liangli://model?hf=a/b#x", "unknown"),
        ("liangli://me@model?hf=a/b", "unknown"),
        ("liangli://model:80?hf=a/b", "unknown"),
        ("liangli://model:x?hf=a/b", "unreadable"),
        ("liangli://model?hf=%ff/b", "unknown"),
        ("liangli://model?hf=" + "a" * 600, "unknown"),
        ("liangli://model?hf=../../etc", "name"),
        ("liangli://model?hf=a/b/c", "name"),
        ("liangli://model?hf=https://evil.example/a", "name"),
        ("liangli://model?hf=a/b&file=../x.gguf", "name"),
        ("liangli://model?hf=a/b&file=/etc/x.gguf", "name"),
        ("liangli://model?hf=a/b&file=x.exe", "name"),
        ("liangli://model?hf=a/b&file=", "name"),
        ("liangli://model?hf=a/b%0Ac", "name"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(OpeningRefused) as refused:
        read_opening(text)
    assert refused.value.reason == reason


@given(st.text() | st.from_regex(r"liangli://model\?(hf|ms)=[^&]*(&file=.*)?"))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        opening = read_opening(text)
    except OpeningRefused:
        return
    if isinstance(opening, OpenModel):
        assert ".." not in opening.text.split("/")
        assert opening.text.isascii()


def test_another_folder() -> None:
    assert absolute("x.gguf", Path("/here")) == str(Path("/here/x.gguf"))
    assert absolute("liangli://model?hf=a/b", Path("/here")) == "liangli://model?hf=a/b"
