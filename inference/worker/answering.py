"""One request inside the engine child: its sampler, its text so far, and what is still to be told about it."""

from __future__ import annotations

import statistics
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from inference.backends.protocol import Backend, Sampler
from inference.text.answer import AnswerText
from inference.values import FinishReason, GenerationRequest, Timings, TokenLogprob, Usage
from inference.worker.messages import Delta, Finished

# So many steps of an answer are looked at to see how even they were; fewer say nothing.
_STEPS_KEPT, _FEWEST_STEPS = 1024, 8


@dataclass(slots=True)
class Answering:
    """Mutable; owned by the engine loop. Times are seconds of the loop's clock, negative while unset.

    end_tokens: end this answer, beside those of the vocabulary.
    """

    request: GenerationRequest
    sampler: Sampler
    text: AnswerText
    prompt_tokens: int
    token_limit: int
    submitted_at: float
    end_tokens: frozenset[int] = frozenset()
    admitted_at: float = -1.0
    first_token_at: float = -1.0
    last_token_at: float = -1.0
    cached_tokens: int = 0
    generated: int = 0
    _steps: array[float] = field(default_factory=lambda: array("d"))
    _ids: list[int] = field(default_factory=list)
    _logprobs: list[TokenLogprob] = field(default_factory=list)
    _text: str = ""
    _reasoning: str = ""

    def take(self, backend: Backend, row: int, token: int, now: float) -> FinishReason | None:
        """Take the token that was sampled from output row `row`; returns why the answer ends with it, if it does."""
        if self.first_token_at < 0:
            self.first_token_at = now
        elif len(self._steps) < _STEPS_KEPT:
            self._steps.append(now - self.last_token_at)
        self.last_token_at = now
        if backend.vocabulary.ends_answer(token) or token in self.end_tokens:
            return "stop"
        self.generated += 1
        piece = backend.vocabulary.piece(token)
        step = self.text.feed(piece)
        self._text += step.text
        self._reasoning += step.reasoning
        self._ids.append(token)
        if self.request.sampling.logprobs is not None:
            self._logprobs.append(_logprob(backend, row, token, piece, self.request.sampling.logprobs))
        if step.stopped:
            return "stop"
        return "length" if self.generated >= self.token_limit else None

    def delta(self) -> Delta | None:
        """What has become known since the last call; None while it is only part of a character or stop string."""
        if not (self._text or self._reasoning):
            return None
        return self._flush()

    def last_delta(self) -> Delta | None:
        """What was held back, at the end of the answer."""
        step = self.text.finish()
        self._text += step.text
        self._reasoning += step.reasoning
        if not (self._text or self._reasoning or self._ids):
            return None
        return self._flush()

    def _flush(self) -> Delta:
        delta = Delta(
            request_id=self.request.request_id,
            text=self._text,
            reasoning=self._reasoning,
            token_ids=tuple(self._ids),
            logprobs=tuple(self._logprobs),
        )
        self._text = self._reasoning = ""
        self._ids, self._logprobs = [], []
        return delta

    def finished(self, reason: FinishReason) -> Finished:
        """The request's last message."""
        began = self.admitted_at if self.admitted_at >= 0 else self.submitted_at
        first = self.first_token_at if self.first_token_at >= 0 else began
        return Finished(
            request_id=self.request.request_id,
            reason=reason,
            usage=Usage(
                prompt_tokens=self.prompt_tokens,
                completion_tokens=self.generated,
                cached_tokens=self.cached_tokens,
            ),
            timings=Timings(
                queue_seconds=began - self.submitted_at,
                prefill_seconds=first - began,
                decode_seconds=max(0.0, self.last_token_at - first),
                unevenness=_unevenness(self._steps),
            ),
        )


def _unevenness(steps: Sequence[float]) -> float:
    """Median to best; 1.0 for too few steps, or a clock that is too coarse."""
    if len(steps) < _FEWEST_STEPS or min(steps) <= 0:
        return 1.0
    return statistics.median(steps) / min(steps)


def _logprob(backend: Backend, row: int, token: int, piece: bytes, top: int) -> TokenLogprob:
    own, best = backend.logprobs(row, token, top)
    alternatives = []
    for other, logprob in best:
        raw = backend.vocabulary.piece(other)
        alternatives.append((other, raw.decode("utf-8", "replace"), raw, logprob))
    return TokenLogprob(
        token_id=token, text=piece.decode("utf-8", "replace"), raw=piece, logprob=own, top=tuple(alternatives)
    )
