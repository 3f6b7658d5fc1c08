"""What a decode call of n tokens is expected to cost, learned from the calls made so far."""

from __future__ import annotations

from dataclasses import dataclass, replace

# Few shapes, so that llama.cpp can re-use its compute graph from call to call.
CHUNKS = (512, 256, 128, 64, 32)
# A reader notices when a running stream stands still for longer than this.
SMOOTH_SECONDS = 0.25
# Nobody is reading yet, but a short question must not wait behind a long document for longer than this.
ALONE_SECONDS = 2.0
_KEEP = 0.8
_OUTLIER = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """Seconds per token of one-token rows (decode) and of chunks (prefill); None until observed.

    On a CPU the cost of a call is nearly linear in its tokens, on a GPU nearly flat: both rates are kept apart because
    the first says what streams feel and the second what a chunk adds.
    """

    step_seconds: float | None = None
    chunk_token_seconds: float | None = None

    def observe(self, *, decode_rows: int, chunk_tokens: int, seconds: float) -> CostModel:
        """The model after one more call; the first observation counts whole, later ones are averaged in."""
        if chunk_tokens == 0:
            return replace(self, step_seconds=_blend(self.step_seconds, seconds / max(1, decode_rows)))
        if chunk_tokens < CHUNKS[-1]:
            return self
        own = max(0.0, seconds - (self.step_seconds or 0.0) * decode_rows)
        return replace(self, chunk_token_seconds=_blend(self.chunk_token_seconds, own / chunk_tokens))

    def predict_seconds(self, *, decode_rows: int, chunk_tokens: int) -> float:
        """Expected duration of a call; 0.0 while nothing is known."""
        return (self.step_seconds or 0.0) * decode_rows + (self.chunk_token_seconds or 0.0) * chunk_tokens

    def chunk_tokens(self, *, decode_rows: int, batch_tokens: int) -> int:
        """Most prompt tokens to read in the next call beside `decode_rows` running streams."""
        largest = min(batch_tokens - decode_rows, CHUNKS[0])
        if self.chunk_token_seconds is None:
            # Unknown machine: start small beside streams, so that the first surprise is short.
            return min(largest, CHUNKS[-1] if decode_rows else CHUNKS[2])
        decode_seconds = (self.step_seconds or 0.0) * decode_rows
        allowed = max(SMOOTH_SECONDS, 3 * decode_seconds) if decode_rows else ALONE_SECONDS
        for chunk in CHUNKS:
            if chunk <= largest and decode_seconds + chunk * self.chunk_token_seconds <= allowed:
                return chunk
        return min(largest, CHUNKS[-1])


def _blend(old: float | None, new: float) -> float:
    """Moving average; one outlier (a paused machine, a cold page) counts as little more than a slow call."""
    if old is None:
        return new
    return _KEEP * old + (1 - _KEEP) * min(new, _OUTLIER * old)
