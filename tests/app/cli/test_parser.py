"""The command line in both languages."""

from __future__ import annotations

import argparse
import inspect
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.parser import ARGPARSE_TEXTS, COMMANDS, build_parser, take_language
from app.values import Language
from resources import wording


@pytest.mark.parametrize(
    ("arguments", "rest", "language"),
    [
        (["run", "你好"], ["run", "你好"], None),
        (["--lang", "zh", "ls"], ["ls"], "zh"),
        (["ls", "--lang=en"], ["ls"], "en"),
        (["--lang", "zh", "--lang", "en", "ls"], ["ls"], "en"),
        (["run", "--", "--lang", "zh"], ["run", "--", "--lang", "zh"], None),
        (["--lang"], ["--lang"], None),
        (["--lang", "fr"], ["--lang", "fr"], None),
    ],
)
def test_the_language_is_taken_out(arguments: list[str], rest: list[str], language: str | None) -> None:
    assert take_language(arguments) == (rest, language)


@given(st.lists(st.sampled_from(["--lang", "zh", "--lang=zh", "--lang=", "--", "x"])))
def test_taking_the_language_loses_nothing_else(arguments: list[str]) -> None:
    rest, _ = take_language(arguments)
    assert rest.count("x") == arguments.count("x")
    assert rest.count("--") == arguments.count("--")


@pytest.mark.parametrize("command", [None, *COMMANDS])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_command_has_help(command: str | None, language: Language, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser(language).parse_args([*([command] if command else []), "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert bool(re.search("[\u4e00-\u9fff]", said)) == (language == "zh")
    if language == "zh":
        assert not re.search(r"usage|options|show this|positional", said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--seed", "x"], "liangli run：错误：参数 --seed：'x' 不是有效的 int\n"),
        (["run", "--model"], "liangli run：错误：参数 --model：需要一个值\n"),
        (["run", "--model", "a", "--file", "b"], "liangli run：错误：参数 --file：不能和 --model 一起使用\n"),
        (["ls", "--nothing"], "liangli：错误：不认识的参数：--nothing\n"),
    ],
)
def test_wrong_command_lines_are_said_in_chinese(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser("zh").parse_args(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(said)


def test_the_translated_sentences_are_argparses_own() -> None:
    source = Path(inspect.getfile(argparse)).read_text(encoding="utf-8")
    assert set(ARGPARSE_TEXTS) == set(wording._file("cli")["argparse"])
    for name in ARGPARSE_TEXTS:
        sentence = wording.entry(f"cli.argparse.{name}")
        assert repr(sentence["en"])[1:-1] in source, name
        placeholders = r"%(?:\(\w+\))?[sr]"
        assert sorted(re.findall(placeholders, sentence["zh"])) == sorted(re.findall(placeholders, sentence["en"])), (
            name
        )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_parser_for_one_command_knows_the_same(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    helps = []
    for only in (None, command):
        with pytest.raises(SystemExit):
            build_parser("en", only).parse_args([command, "--help"])
        helps.append(capsys.readouterr().out)
    assert helps[0] == helps[1]
