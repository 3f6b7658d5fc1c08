"""Every error has its words in both languages, and no error, however odd, breaks them."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resources
from app import words
from app.errors import ModelMissing, RemoteError
from app.values import Language, PlanChange
from inference.errors import EngineDied
from resources import wording

ERROR_MODULES = (
    "app.errors",
    "inference.errors",
    "models_catalog.errors",
    "models_catalog.remote_header.errors",
    "models_catalog.lan.errors",
    "models_catalog.signed.errors",
    "inference.engine_packs.errors",
)
LANGUAGES: tuple[Language, Language] = ("zh", "en")


def _leaves() -> Iterator[type[Exception]]:
    for module_name in ERROR_MODULES:
        module = importlib.import_module(module_name)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            own = kind.__module__ == module_name and kind is not RemoteError
            if own and issubclass(kind, Exception) and not kind.__subclasses__():
                yield kind


def _fields_of(kind: type[Exception]) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()


def _placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", sentence))


@pytest.mark.parametrize("kind", list(_leaves()), ids=lambda kind: kind.__name__)
def test_every_error_has_words(kind: type[Exception]) -> None:
    table = wording.entry(f"errors.{kind.__name__}")
    assert _placeholders(table["zh"]) == _placeholders(table["en"]) <= _fields_of(kind)
    assert table["zh"].count("[[") == table["zh"].count("]]") == table["en"].count("[[") == table["en"].count("]]")
    assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", table["zh"] + table["en"]))
    assert re.search(r"[\u4e00-\u9fff]", table["zh"])
    assert 400 <= table["http"] <= 599
    assert 3 <= table["exit"] <= 119


def test_no_words_without_an_error() -> None:
    errors = {kind.__name__ for kind in _leaves()}
    tables = set(tomllib.loads(resources.path("texts", "errors.toml").read_text(encoding="utf-8")))
    assert tables - errors == {words.UNKNOWN}


def test_exit_codes_tell_errors_apart() -> None:
    codes = [words.exit_code(kind.__name__) for kind in _leaves()]
    assert len(codes) == len(set(codes))


def test_fields_are_shown_for_people() -> None:
    fields = {"needed_bytes": 1_117_320_768, "free_bytes": 491_400_064}
    assert "1.12 GB" in words.describe("MemoryTooSmall", fields, "en")
    assert "491 MB" in words.describe("MemoryTooSmall", fields, "zh")
    overflow = {"prompt_tokens": 5000, "max_tokens": 100, "context_tokens": 4096}
    assert "4,096" in words.describe("ContextOverflow", overflow, "en")


def test_a_part_without_its_field_is_left_out() -> None:
    assert words.describe_error(ModelMissing(model="x", available=()), "en").endswith("on this computer.")
    assert words.describe_error(ModelMissing(model="x", available=("a", "b")), "zh").endswith("现有：a、b")


def test_a_cause_is_said_in_words() -> None:
    died = EngineDied(cause="out_of_memory", detail="", exit_code=None, signal=9)
    assert "内存用完了" in words.describe_error(died, "zh")
    assert "()" not in words.describe_error(died, "en")
    assert "sunspots" in words.describe("EngineDied", {"cause": "sunspots"}, "en")


def test_steps_of_one_kind_are_one_sentence() -> None:
    changes = [
        PlanChange(kind="batch", fields={"before_tokens": 512, "after_tokens": 256}),
        PlanChange(kind="context", fields={"before_tokens": 8192, "after_tokens": 4096}),
        PlanChange(kind="batch", fields={"before_tokens": 256, "after_tokens": 128}),
    ]
    english = words.describe_changes(changes, "en")
    assert english.count("128") == 1 and "512" in english and "256" not in english and "4,096" in english
    assert "8,192" in words.describe_changes(changes, "zh")
    assert words.describe_changes([PlanChange(kind="wormhole", fields={"x": 1})], "zh") == "wormhole: 1"


def test_an_error_of_the_service_is_said_as_what_it_was() -> None:
    remote = RemoteError(code="Unauthorized", fields={}, http_status=401)
    assert words.describe_error(remote, "en") == words.describe("Unauthorized", {}, "en")


def test_foreign_exceptions_keep_their_message() -> None:
    body = words.error_body(ZeroDivisionError("division by zero"))
    assert body.code == words.UNKNOWN
    assert "division by zero" in words.describe(body.code, body.fields, "zh")
    assert words.http_status("NeverHeardOf") == 500
    assert words.exit_code("NeverHeardOf") == 1
    assert "NeverHeardOf" in words.describe("NeverHeardOf", {}, "en")


def test_terminal_control_characters_are_taken_out() -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J" + "a" * 5000
    said = words.describe("ModelLoadFailed", {"path": "m.gguf", "detail": hostile}, "en")
    assert said.isprintable()
    assert len(said) < 1000


@given(
    code=st.sampled_from([kind.__name__ for kind in _leaves()]) | st.text(max_size=30),
    fields=st.dictionaries(
        st.sampled_from(["detail", "path", "cause", "x"]), st.none() | st.text() | st.floats() | st.lists(st.text())
    ),
)
def test_describe_never_raises(code: str, fields: dict[str, Any]) -> None:
    for language in LANGUAGES:
        assert words.describe(code, fields, language)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999_999, "1.00 MB"),
        (491_400_064, "491 MB"),
        (1_117_320_768, "1.12 GB"),
        (25.8e9, "25.8 GB"),
    ],
)
def test_bytes(count: float, said: str) -> None:
    assert words.shown_bytes(count) == said


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [(0.3, "0.3 s", "0.3 秒"), (12, "12 s", "12 秒"), (119.9, "2 min", "2 分"), (125, "2 min 5 s", "2 分 5 秒")],
)
def test_seconds(seconds: float, en: str, zh: str) -> None:
    assert (words.shown_seconds(seconds, "en"), words.shown_seconds(seconds, "zh")) == (en, zh)


@pytest.mark.parametrize(
    ("setting", "environment", "expected"),
    [
        ("zh", {"LANG": "en_US.UTF-8"}, "zh"),
        ("auto", {"LANG": "zh_CN.UTF-8"}, "zh"),
        ("auto", {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ("auto", {"LC_ALL": "", "LANG": "zh_TW"}, "zh"),
        ("auto", {}, "en"),
    ],
)
def test_language(setting: str, environment: dict[str, str], expected: str) -> None:
    assert words.language_for(setting, environment) == expected
