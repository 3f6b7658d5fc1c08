"""Sampling chains, built in C through the bindings, one per request."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.backends.llama_cpp.library import lib
from inference.errors import InvalidSampling
from inference.values import Sampling

# API clients send top_p without top_k; sorting 150 k candidates costs 14 ms per token, and the mass beyond the 1,024
# likeliest is far below what top_p cuts off anyway.
_TOP_K_BEFORE_TOP_P = 1024
# llama.cpp reads this value as "draw a random one".
_RANDOM_SEED = 0xFFFFFFFF


def draw_seed() -> int:
    """A random 32-bit seed that llama.cpp takes as it is."""
    return secrets.randbelow(_RANDOM_SEED)


def check_sampling(sampling: Sampling, vocabulary_size: int) -> None:
    """Raises InvalidSampling for a value outside its range."""
    ranges: tuple[tuple[str, float, float, float], ...] = (
        ("temperature", sampling.temperature, 0.0, 100.0),
        ("top_k", sampling.top_k, 0, 1_000_000_000),
        ("top_p", sampling.top_p, 0.0, 1.0),
        ("min_p", sampling.min_p, 0.0, 1.0),
        ("repeat_penalty", sampling.repeat_penalty, 0.01, 100.0),
        ("frequency_penalty", sampling.frequency_penalty, -2.0, 2.0),
        ("presence_penalty", sampling.presence_penalty, -2.0, 2.0),
        ("penalty_last_n", sampling.penalty_last_n, -1, 1_000_000_000),
        ("seed", sampling.seed if sampling.seed is not None else 0, -(2**63), 2**64 - 1),
        ("logprobs", sampling.logprobs if sampling.logprobs is not None else 0, 0, 20),
    )
    for name, value, low, high in ranges:
        # Written so that NaN is refused as well.
        if not low <= value <= high:
            raise InvalidSampling(field=name, value=str(value))
    for token, bias in sampling.logit_bias:
        if not 0 <= token < vocabulary_size:
            raise InvalidSampling(field="logit_bias", value=str(token))
        if not -1e9 <= bias <= 1e9:
            raise InvalidSampling(field="logit_bias", value=str(bias))


class GreedySampler:
    """The likeliest token, straight from the logits: 0.03 ms per row where a C chain takes 0.3."""

    seed = 0

    def __init__(self, row_logits: Callable[[int], npt.NDArray[np.float32]]) -> None:
        self._row_logits = row_logits

    def sample(self, row: int) -> int:
        return int(self._row_logits(row).argmax())

    def close(self) -> None:
        return None


class ChainSampler:
    """llama.cpp's chain in llama.cpp's order: bias, penalties, top-k, top-p, min-p, temperature, draw."""

    def __init__(
        self, sampling: Sampling, *, context: Any, vocabulary_size: int, window: int, batch_index: Callable[[int], int]
    ) -> None:
        self.seed = draw_seed() if sampling.seed is None else sampling.seed & 0xFFFFFFFF
        if self.seed == _RANDOM_SEED:
            self.seed = 0
        self._context = context
        self._batch_index = batch_index
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for part in self._parts(sampling, vocabulary_size, window):
            if not part:
                # A NULL in a chain is dereferenced by the first sample: a segmentation fault.
                self.close()
                raise InvalidSampling(field="sampling", value="")
            lib.llama_sampler_chain_add(self._chain, part)

    def _parts(self, sampling: Sampling, vocabulary_size: int, window: int) -> list[Any]:
        parts: list[Any] = []
        if sampling.logit_bias:
            biases = (lib.llama_logit_bias * len(sampling.logit_bias))(
                *(lib.llama_logit_bias(token=token, bias=bias) for token, bias in sampling.logit_bias)
            )
            parts.append(lib.llama_sampler_init_logit_bias(vocabulary_size, len(biases), biases))
        if uses_penalties(sampling):
            last_n = window if sampling.penalty_last_n < 0 else min(sampling.penalty_last_n, window)
            parts.append(
                lib.llama_sampler_init_penalties(
                    vocabulary_size,
                    last_n,
                    sampling.repeat_penalty,
                    sampling.frequency_penalty,
                    sampling.presence_penalty,
                )
            )
        if sampling.temperature <= 0:
            return [*parts, lib.llama_sampler_init_greedy()]
        top_k = sampling.top_k or (_TOP_K_BEFORE_TOP_P if sampling.top_p < 1 else 0)
        if top_k:
            parts.append(lib.llama_sampler_init_top_k(top_k))
        if sampling.top_p < 1:
            parts.append(lib.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p > 0:
            parts.append(lib.llama_sampler_init_min_p(sampling.min_p, 1))
        parts.append(lib.llama_sampler_init_temp(sampling.temperature))
        parts.append(lib.llama_sampler_init_dist(self.seed))
        return parts

    def accept(self, tokens: Sequence[int]) -> None:
        """Count these tokens as seen by the penalties."""
        for token in tokens:
            lib.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> int:
        return int(lib.llama_sampler_sample(self._chain, self._context, self._batch_index(row)))

    def close(self) -> None:
        if self._chain:
            lib.llama_sampler_free(self._chain)
            self._chain = None


def uses_penalties(sampling: Sampling) -> bool:
    """Whether any penalty is on."""
    return (
        sampling.repeat_penalty != 1.0 or sampling.frequency_penalty != 0.0 or sampling.presence_penalty != 0.0
    ) and sampling.penalty_last_n != 0


def make_sampler(
    sampling: Sampling,
    *,
    context: Any,
    vocabulary_size: int,
    window: int,
    batch_index: Callable[[int], int],
    row_logits: Callable[[int], npt.NDArray[np.float32]],
    prompt_tail: Sequence[int],
) -> GreedySampler | ChainSampler:
    """The sampler for one request. Raises InvalidSampling.

    frequency and presence penalties count generated tokens only, as OpenAI defines them; with a repeat penalty (which
    is llama.cpp's own) the end of the prompt counts as well, as llama.cpp's users expect.
    """
    check_sampling(sampling, vocabulary_size)
    if sampling.temperature <= 0 and not sampling.logit_bias and not uses_penalties(sampling):
        return GreedySampler(row_logits)
    sampler = ChainSampler(
        sampling, context=context, vocabulary_size=vocabulary_size, window=window, batch_index=batch_index
    )
    if sampling.repeat_penalty != 1.0:
        sampler.accept(prompt_tail[-64:])
    return sampler
