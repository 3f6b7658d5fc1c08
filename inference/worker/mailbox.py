"""What has arrived for one request and has not been taken by its reader yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from inference.worker.messages import Admitted, Delta, Finished

# Far more than the longest answer with its logprobs; only a broken child gets here.
MAX_PENDING_BYTES = 256 * 1024 * 1024


class Mailbox:
    """Events of one request, in order. A slow reader holds up nobody: what waits for it is joined into one Delta.

    For the event loop's thread alone, with one reader.
    """

    def __init__(self) -> None:
        self._waiting: deque[Admitted | Delta | Finished] = deque()
        self._waiting_bytes = 0
        self._error: Exception | None = None
        self._arrived = asyncio.Event()

    def put(self, event: Admitted | Delta | Finished, size_bytes: int) -> bool:
        """Add an event of that size. False when more is waiting than an honest child could have sent."""
        self._waiting.append(event)
        self._waiting_bytes += size_bytes
        self._arrived.set()
        return self._waiting_bytes <= MAX_PENDING_BYTES

    def fail(self, error: Exception) -> None:
        """Nothing comes any more: the reader gets what is waiting and then this error."""
        if self._error is None:
            self._error = error
        self._arrived.set()

    async def take(self) -> Admitted | Delta | Finished:
        """The next event; deltas that follow each other come as one. Raises the error given to `fail`."""
        while not self._waiting:
            if self._error is not None:
                raise self._error
            self._arrived.clear()
            await self._arrived.wait()
        first = self._waiting.popleft()
        if isinstance(first, Delta):
            first = _joined([first, *self._following_deltas()])
        if not self._waiting:
            self._waiting_bytes = 0
        return first

    def _following_deltas(self) -> Iterator[Delta]:
        while self._waiting and isinstance(self._waiting[0], Delta):
            delta = self._waiting.popleft()
            assert isinstance(delta, Delta)
            yield delta


def _joined(deltas: list[Delta]) -> Delta:
    if len(deltas) == 1:
        return deltas[0]
    return Delta(
        request_id=deltas[0].request_id,
        text="".join(delta.text for delta in deltas),
        reasoning="".join(delta.reasoning for delta in deltas),
        token_ids=tuple(token for delta in deltas for token in delta.token_ids),
        logprobs=tuple(logprob for delta in deltas for logprob in delta.logprobs),
    )
