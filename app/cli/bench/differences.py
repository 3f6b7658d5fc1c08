"""Where two greedy answers part, and whether the model itself was undecided there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# Batches of other sizes are computed by other kernels in another order. Where the two likeliest tokens are closer than
# this (natural log of their probabilities), such rounding can turn the choice around, and after it the whole rest of
# the answer. llama-server against itself, alone and eight at once, was seen to flip margins of up to 0.24.
NEAR_TIE_NATS = 0.25

# A text can be cut into tokens in more than one way, so the choice may have been made a little before the difference.
_TOKENS_LOOKED_BACK = 3
_EXCERPT_CHARACTERS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token of an answer with its likeliest rivals (bytes, logprob), itself among them. End of answer: no bytes."""

    raw: bytes
    logprob: float
    top: tuple[tuple[bytes, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place where an answer leaves the reference.

    token: its index in the reference. margin_nats: how much likelier the reference's token was there than the one
    that was taken instead; None when that one is not among the rivals which were reported.
    """

    token: int
    character: int
    reference: str
    other: str
    margin_nats: float | None

    @property
    def near_tie(self) -> bool:
        return self.margin_nats is not None and self.margin_nats <= NEAR_TIE_NATS


def first_difference(text: str, tokens: tuple[Token, ...], other: str) -> Difference | None:
    """Compare an answer with the reference (its text and its tokens, the end of the answer too if it was reached)."""
    # What is left of a character that the token limit has cut is not part of the comparison.
    text, other = text.rstrip("\ufffd"), other.rstrip("\ufffd")
    if text == other:
        return None
    character = _common_length(text, other)
    expected, found = text.encode(), other.encode()
    same_bytes = _common_length(expected, found)
    index, margin_nats = _choice(tokens, same_bytes, found)
    return Difference(
        token=index,
        character=character,
        reference=text[character : character + _EXCERPT_CHARACTERS],
        other=other[character : character + _EXCERPT_CHARACTERS],
        margin_nats=margin_nats,
    )


def _choice(tokens: tuple[Token, ...], byte: int, found: bytes) -> tuple[int, float | None]:
    """The token where the other answer's bytes took a rival, and its margin; None when no reported rival fits.

    Where rivals of several tokens fit, the likeliest one was taken: ")`" in place of ")", "`." also fits a rival "`" of
    the "`." that follows, which no model would choose.
    """
    differing = _token_at(tokens, byte)
    choices: list[tuple[float, int]] = []
    for index in range(max(0, differing - _TOKENS_LOOKED_BACK), min(differing, len(tokens) - 1) + 1):
        begins_at = sum(len(token.raw) for token in tokens[:index])
        margin_nats = _margin(tokens[index], found[begins_at:])
        if margin_nats is not None:
            choices.append((margin_nats, index))
    if not choices:
        return differing, None
    margin_nats, index = min(choices)
    return index, margin_nats


def _common_length(one: str | bytes, other: str | bytes) -> int:
    """How many characters (or bytes) are the same from the beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _token_at(tokens: tuple[Token, ...], byte: int) -> int:
    """Index of the token that holds this byte, or ends the answer there."""
    ends_at = 0
    for index, token in enumerate(tokens):
        ends_at += len(token.raw)
        if ends_at > byte or not token.raw:
            return index
    return len(tokens)


def _margin(token: Token, taken: bytes) -> float | None:
    """`taken`: what the other answer goes on with; b"" when it ended there."""
    rivals = [(raw, logprob) for raw, logprob in token.top if raw != token.raw]
    fitting = [(raw, logprob) for raw, logprob in rivals if (taken.startswith(raw) if raw else not taken)]
    if not fitting:
        return None
    return token.logprob - max(logprob for _, logprob in fitting)
