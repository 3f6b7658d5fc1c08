"""What the engine loop needs of a backend. One thread owns a backend and makes every call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from inference.scheduling.step import CacheAction, Segment
from inference.values import ModelFacts, Sampling, SamplingAdvice


class DecodeFailed(Exception):
    """A decode call failed and the cache's content is unknown; the engine child starts anew or resets the cache."""

    def __init__(self, code: int) -> None:
        super().__init__(f"decode returned {code}")
        self.code = code


class DecodeInterrupted(Exception):
    """A decode call was stopped on request; nothing of it stays in the cache."""


class Vocabulary(Protocol):
    """The model's tokens. Every method may be called for any id in range; others raise IndexError.

    adds_bos: texts of this model begin with BOS. bos_token: -1 when there is none.
    adds_space_prefix: `tokenize` puts a space before every text (SentencePiece).
    """

    size: int
    adds_bos: bool
    adds_space_prefix: bool
    bos_token: int
    bos_text: str
    eos_text: str
    control_texts: frozenset[str]

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        """Tokens of the text, without BOS or EOS. parse_special False: control tokens' texts stay plain text."""
        ...

    def piece(self, token: int) -> bytes:
        """The token's bytes as they appear in an answer; empty for control tokens that were not asked to be shown."""
        ...

    def show(self, texts: frozenset[str]) -> None:
        """From now on the control tokens with these texts appear in answers (thinking tags, where they are control)."""
        ...

    def ends_answer(self, token: int) -> bool:
        """Whether the token ends an answer (EOS, EOT and the like)."""
        ...


class Sampler(Protocol):
    """Chooses tokens for one request; remembers what it has chosen (penalties, random numbers)."""

    seed: int

    def sample(self, row: int) -> int:
        """The next token, from output row `row` of the last decode call."""
        ...

    def close(self) -> None:
        """Free what it holds; not usable afterwards."""
        ...


class Backend(Protocol):
    """A loaded model and its cache of sequences. sampling_advice: what the model's file recommends."""

    facts: ModelFacts
    chat_template: str | None
    sampling_advice: SamplingAdvice

    @property
    def vocabulary(self) -> Vocabulary:
        """The model's tokens."""
        ...

    @property
    def batch_tokens(self) -> int:
        """Most tokens of one decode call."""
        ...

    def act(self, action: CacheAction) -> bool:
        """Change the cache. False: a Restore whose saved state is gone (the sequence is empty then)."""
        ...

    def forget_saved(self, request_id: str) -> None:
        """Throw a saved state away, if there is one."""
        ...

    def decode(self, segments: Sequence[Segment], interrupted: Callable[[], bool]) -> None:
        """Compute the segments; output rows are numbered in their order, counting only those with `output`.

        Raises DecodeInterrupted when `interrupted()` became true in time, DecodeFailed otherwise.
        """
        ...

    def clear(self) -> None:
        """Empty the whole cache."""
        ...

    def sampler(self, sampling: Sampling, prompt_tail: Sequence[int]) -> Sampler:
        """A sampler for one request. Raises InvalidSampling for values that cannot be used."""
        ...

    def logprobs(self, row: int, token: int, top: int) -> tuple[float, list[tuple[int, float]]]:
        """Log-probability of `token` in the row's raw distribution, and the `top` likeliest tokens, best first."""
        ...

    def private_bytes(self) -> int:
        """Resident memory of this process that belongs to no file, now; 0 where the system does not tell."""
        ...

    def close(self) -> None:
        """Free model and cache."""
        ...
