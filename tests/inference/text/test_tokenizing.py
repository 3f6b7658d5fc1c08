"""Token ids of rendered prompts."""

from __future__ import annotations

import pytest

from inference.text.rendered import Piece, Rendered
from inference.text.tokenizing import tokenize_plain, tokenize_rendered

BOS = 1
END = 2


def _characters(text: str, special: bool) -> list[int]:
    """A vocabulary of characters with the control tokens <s> and <e>."""
    tokens: list[int] = []
    while text:
        control = {"<s>": BOS, "<e>": END}.get(text[:3]) if special else None
        tokens.append(control if control else ord(text[0]))
        text = text[3:] if control else text[1:]
    return tokens


def _spaced(text: str, special: bool) -> list[int]:
    return [ord(" "), *_characters(text, special)]


def _rendered(*pieces: tuple[str, bool]) -> Rendered:
    return Rendered(pieces=tuple(Piece(text=text, special=special) for text, special in pieces))


def test_control_tokens_are_met_in_template_text_only() -> None:
    rendered = _rendered(("a<e>", True), ("<e>", False), ("", True), ("b", True))
    assert tokenize_rendered(rendered, _characters) == [ord("a"), END, *map(ord, "<e>"), ord("b")]


@pytest.mark.parametrize(
    ("text", "add_bos", "bos_count"),
    [("a", True, 1), ("<s>a", True, 1), ("<s>a", False, 1), ("<s><s>a", True, 1), ("a", False, 0)],
)
def test_bos_stands_once(text: str, add_bos: bool, bos_count: int) -> None:
    tokens = tokenize_rendered(_rendered((text, True)), _characters, bos_id=BOS, add_bos=add_bos)
    assert tokens == [BOS] * bos_count + [ord("a")]


def test_user_text_that_looks_like_bos_does_not_replace_it() -> None:
    tokens = tokenize_rendered(_rendered(("<s>", False)), _characters, bos_id=BOS, add_bos=True)
    assert tokens == [BOS, *map(ord, "<s>")]


def test_the_space_of_sentencepiece_comes_once() -> None:
    rendered = _rendered(("a", True), ("<e>", False), ("b", True))
    tokens = tokenize_rendered(rendered, _spaced, adds_space_prefix=True)
    assert tokens == [*map(ord, " a<e>b")]


def test_plain_text_has_no_control_tokens() -> None:
    assert tokenize_plain("<e>", _characters, bos_id=BOS, add_bos=True) == [BOS, *map(ord, "<e>")]
    assert tokenize_plain("", _characters, bos_id=None) == []
