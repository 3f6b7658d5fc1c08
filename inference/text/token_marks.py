"""Marks in a template's text that stand for tokens by number, for vocabularies whose role tokens no text gives."""

from __future__ import annotations

import re
from collections.abc import Mapping

from inference.text.tokenizing import Tokenize


def with_marks(tokenize: Tokenize, token_ids: Mapping[str, int]) -> Tokenize:
    """`tokenize`, but in template text each mark becomes its token. What stands between marks is a text of its own."""
    if not token_ids:
        return tokenize
    marks = re.compile("(" + "|".join(map(re.escape, sorted(token_ids, key=len, reverse=True))) + ")")

    def tokenize_with_marks(text: str, parse_special: bool) -> list[int]:
        if not parse_special:
            return tokenize(text, parse_special)
        tokens: list[int] = []
        for part in marks.split(text):
            if part in token_ids:
                tokens.append(token_ids[part])
            elif part:
                tokens += tokenize(part, parse_special)
        return tokens

    return tokenize_with_marks
