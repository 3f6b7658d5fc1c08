"""All texts: both languages, the same placeholders, real sentences."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

import resources
from resources import wording

# English that speaks Chinese on purpose: the name of the app, and the switch to the other language.
CHINESE_IN_ENGLISH = frozenset({"gui.app.second_name", "gui.header.language"})
FILES = sorted(path.stem for path in resources.path("texts").glob("*.toml"))


def _entries(node: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if "zh" in node or "en" in node:
        yield key, node
    for name, child in node.items():
        if isinstance(child, dict):
            yield from _entries(child, f"{key}.{name}")


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("file", FILES)
def test_both_languages_say_the_same(file: str) -> None:
    entries = list(_entries(wording._file(file), file))
    assert entries
    for key, entry in entries:
        assert isinstance(entry.get("zh"), str) and isinstance(entry.get("en"), str), key
        assert entry["zh"].strip() and entry["en"].strip(), key
        assert _placeholders(entry["zh"]) == _placeholders(entry["en"]), key
        assert not re.search(r"[\u3400-\u9fff]", entry["en"]) or key in CHINESE_IN_ENGLISH, key


def test_fields_are_filled_in() -> None:
    assert wording.entry("errors.Unauthorized")["en"] == wording.text("errors.Unauthorized", "en")
    assert "42" in wording.text("errors.AlreadyRunning", "zh", pid=42, address="here")


@pytest.mark.parametrize(
    "key", ["errors.NoSuch", "errors.EngineDied.nothing", "errors.EngineDied.http", "errors.EngineDied.cause_words"]
)
def test_a_missing_text_is_a_clear_error(key: str) -> None:
    with pytest.raises(wording.MissingText):
        wording.text(key, "en")
