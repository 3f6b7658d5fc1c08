"""Where two answers part."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.bench.differences import NEAR_TIE_NATS, Token, first_difference


def token(raw: str, logprob: float = -0.1, **rivals: float) -> Token:
    """A token with its rivals; `_` stands for the end of the answer."""
    others = [("" if name == "_" else name, value) for name, value in rivals.items()]
    return Token(
        raw=raw.encode(),
        logprob=logprob,
        top=((raw.encode(), logprob), *((name.encode(), value) for name, value in others)),
    )


def test_equal_texts_do_not_differ() -> None:
    assert first_difference("好的", (token("好的"),), "好的") is None


def test_a_cut_character_at_the_end_is_no_difference() -> None:
    assert first_difference("好", (token("好"),), "好\ufffd") is None


def test_the_token_and_the_margin_of_the_first_difference() -> None:
    tokens = (token("今天"), token("天气", -0.7, 很=-0.75, 不=-2.0), token("好"))
    found = first_difference("今天天气好", tokens, "今天很冷")
    assert found is not None
    assert (found.token, found.character, found.reference, found.other) == (1, 2, "天气好", "很冷")
    assert found.margin_nats == pytest.approx(0.05)
    assert found.near_tie


def test_a_clear_choice_is_no_near_tie() -> None:
    found = first_difference("ab", (token("a"), token("b", -0.1, c=-0.1 - 2 * NEAR_TIE_NATS)), "ac")
    assert found is not None
    assert not found.near_tie


def test_a_token_that_is_not_among_the_rivals_has_no_margin() -> None:
    found = first_difference("ab", (token("a"), token("b", -0.1, c=-0.2)), "ad")
    assert found is not None
    assert found.margin_nats is None
    assert not found.near_tie


def test_a_choice_made_just_before_the_texts_part() -> None:
    tokens = (token("x"), token("ab", -0.7, a=-0.72), token("c", -0.1, d=-3.0))
    found = first_difference("xabc", tokens, "xabq")
    assert found is not None
    assert found.token == 1
    assert found.margin_nats == pytest.approx(0.02)


def test_of_fitting_rivals_the_likeliest_was_taken() -> None:
    found = first_difference("x1", (token("x1", -0.5, x=-3.0, xy=-0.52),), "xyz")
    assert found is not None
    assert found.margin_nats == pytest.approx(0.02)


def test_of_tokens_whose_rivals_fit_the_closest_choice_was_the_one() -> None:
    # As measured: ")" leads ")`" by 0.015, and the "`.\n" that follows has "`" among its rivals, eleven nats behind.
    before = Token(raw=b")", logprob=-0.686, top=((b")", -0.686), (b")`", -0.701)))
    after = Token(raw=b"`.\n", logprob=-0.004, top=((b"`.\n", -0.004), (b"`", -11.391)))
    found = first_difference(")`.\n", (before, after), ")` with")
    assert found is not None
    assert found.token == 0
    assert found.margin_nats == pytest.approx(0.015)


def test_an_answer_that_ends_earlier_took_the_end() -> None:
    found = first_difference("OK.", (token("OK"), token(".", -0.6, _=-0.65)), "OK")
    assert found is not None
    assert (found.token, found.other) == (1, "")
    assert found.margin_nats == pytest.approx(0.05)


def test_an_answer_that_goes_on_after_the_reference_has_ended() -> None:
    found = first_difference("OK", (token("OK"), Token(raw=b"", logprob=-0.6, top=((b".", -0.61),))), "OK. Yes")
    assert found is not None
    assert found.token == 1
    assert found.margin_nats == pytest.approx(0.01)


def test_a_reference_without_tokens_has_no_margin() -> None:
    found = first_difference("a", (), "b")
    assert found is not None
    assert found.margin_nats is None


@given(st.text(max_size=8), st.text(max_size=8), st.integers(1, 3))
def test_any_two_texts_can_be_compared(reference: str, other: str, step: int) -> None:
    data = reference.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
    tokens = tuple(Token(raw=data[at : at + step], logprob=-0.1) for at in range(0, len(data), step))
    found = first_difference(data.decode(), tokens, other.encode("utf-8", "replace").decode())
    if found is not None:
        assert 0 <= found.token <= len(tokens)
        assert found.margin_nats is None or not math.isnan(found.margin_nats)
