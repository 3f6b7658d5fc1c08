"""Log probabilities in the two shapes of the OpenAI dialect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from inference.values import TokenLogprob

# The dialect's number for "impossible"; JSON has no infinity.
IMPOSSIBLE = -9999.0


def chat_logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
    """As in chat completions."""
    return {
        "content": [
            {
                **_token(token.text, token.raw, token.logprob),
                "top_logprobs": [_token(text, raw, logprob) for _, text, raw, logprob in token.top],
            }
            for token in tokens
        ],
        "refusal": None,
    }


def text_logprobs(tokens: Sequence[TokenLogprob], first_offset: int) -> dict[str, Any]:
    """As in plain completions. first_offset: characters of the answer before these tokens."""
    offsets, offset = [], first_offset
    for token in tokens:
        offsets.append(offset)
        offset += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [_finite(token.logprob) for token in tokens],
        "top_logprobs": [{text: _finite(logprob) for _, text, _, logprob in token.top} for token in tokens],
        "text_offset": offsets,
    }


def _token(text: str, raw: bytes, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": _finite(logprob), "bytes": list(raw)}


def _finite(logprob: float) -> float:
    return logprob if math.isfinite(logprob) else IMPOSSIBLE
