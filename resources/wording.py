"""Every sentence a user sees, in Chinese and English side by side, from `resources/texts/*.toml`.

A text's key is FILE.TABLE.NAME ("gui.composer.placeholder"). Placeholders are Python format fields and are the same in
both languages; `tests/resources/test_wording.py` proves it.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any, Literal

import resources

Language = Literal["zh", "en"]


class MissingText(KeyError):
    """No text under this key: a programming error, found by the tests."""


@lru_cache(maxsize=32)
def _file(name: str) -> dict[str, Any]:
    with resources.path("texts", f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def entry(key: str) -> dict[str, Any]:
    """The table behind a key: at least {"zh": str, "en": str}; error texts carry more (http, exit)."""
    file, *names = key.split(".")
    node: Any = _file(file)
    for name in names:
        node = node.get(name) if isinstance(node, dict) else None
    if not isinstance(node, dict) or "zh" not in node or "en" not in node:
        raise MissingText(key)
    return node


def text(key: str, language: Language, **fields: Any) -> str:
    """The sentence in the language, its placeholders filled from `fields`."""
    sentence: str = entry(key)[language]
    return sentence.format(**fields) if fields else sentence
