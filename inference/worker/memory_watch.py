"""When an engine child tells the service how much memory it holds: rarely, but never too late."""

from __future__ import annotations

from collections.abc import Callable

from inference.worker.messages import MemoryReport

# Growth below this is not worth a message.
_GROWTH = 1.05
# Looking costs 0.05 ms: with every batch that is larger than all before, and else this often.
_STEPS_BETWEEN_LOOKS = 64


class MemoryWatch:
    """Owned by the engine loop. read_bytes: this process's private memory now, 0 where it cannot be known."""

    def __init__(self, read_bytes: Callable[[], int], batch_tokens: int) -> None:
        self._read_bytes = read_bytes
        self._batch_tokens = batch_tokens
        self._largest_tokens = 0
        self._steps = 0
        self._peak_bytes = 0
        self._told_bytes = 0

    def after_step(self, decode_rows: int, chunk_tokens: int) -> MemoryReport | None:
        """What there is to tell after a decode call of so many tokens.

        The first report comes after the first full batch, or after the first single token when no batch was full:
        working memory is taken when it is first needed, and more is needed later only for larger batches.
        """
        tokens = decode_rows + chunk_tokens
        self._steps += 1
        grew = tokens > self._largest_tokens
        self._largest_tokens = max(self._largest_tokens, tokens)
        if not self._told_bytes:
            look = decode_rows > 0 or tokens >= self._batch_tokens
        else:
            look = grew or self._steps % _STEPS_BETWEEN_LOOKS == 0
        return self._look() if look else None

    def _look(self) -> MemoryReport | None:
        now_bytes = self._read_bytes()
        self._peak_bytes = max(self._peak_bytes, now_bytes)
        if now_bytes <= self._told_bytes * _GROWTH:
            return None
        self._told_bytes = now_bytes
        return MemoryReport(private_bytes=now_bytes, peak_bytes=self._peak_bytes)
