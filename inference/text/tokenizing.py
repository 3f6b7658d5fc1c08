"""Token ids of a rendered prompt: template text with control tokens, user text without."""

from __future__ import annotations

from collections.abc import Callable

from inference.text.rendered import Rendered

Tokenize = Callable[[str, bool], list[int]]
"""(text, whether control tokens in it are recognised) → token ids; adds neither BOS nor EOS."""

# Put before a piece that continues a text, so that vocabularies that begin every text with a space do not do so there.
_LEAD = "\n"


def tokenize_rendered(
    rendered: Rendered,
    tokenize: Tokenize,
    *,
    bos_id: int | None = None,
    add_bos: bool = False,
    adds_space_prefix: bool = False,
) -> list[int]:
    """Token ids of a prompt, with BOS at most once at its beginning.

    bos_id, add_bos: the vocabulary's BOS and whether it wants one before every text; a template may write it itself.
    adds_space_prefix: `tokenize` puts a space before every text (SentencePiece vocabularies).
    """
    tokens: list[int] = []
    for piece in rendered.pieces:
        if not piece.text:
            continue
        if tokens and adds_space_prefix:
            tokens += _continued(piece.text, piece.special, tokenize)
        else:
            tokens += tokenize(piece.text, piece.special)
    return _with_bos(tokens, bos_id, add_bos)


def tokenize_plain(text: str, tokenize: Tokenize, *, bos_id: int | None = None, add_bos: bool = False) -> list[int]:
    """Token ids of plain text: control tokens in it stay text, BOS as the vocabulary wants it."""
    return _with_bos(tokenize(text, False), bos_id, add_bos)


def _continued(text: str, special: bool, tokenize: Tokenize) -> list[int]:
    lead = tokenize(_LEAD, special)
    tokens = tokenize(_LEAD + text, special)
    if tokens[: len(lead)] == lead:
        return tokens[len(lead) :]
    return tokenize(text, special)  # the line break merged with the text: a space too many is the smaller harm


def _with_bos(tokens: list[int], bos_id: int | None, add_bos: bool) -> list[int]:
    if bos_id is None:
        return tokens
    while tokens[:2] == [bos_id, bos_id]:
        del tokens[0]
    return [bos_id, *tokens] if add_bos and tokens[:1] != [bos_id] else tokens
