"""The sequences resident in the KV cache, idle or running, and the longest prefix among them for a new prompt."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Resident:
    """A sequence whose tokens' state is in the cache. `tokens` are exactly those; `last_used` is a step number."""

    sequence: int
    tokens: array[int] = field(default_factory=lambda: array("i"))
    running: bool = True
    last_used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixMatch:
    """`length` tokens of a prompt are held by `sequence`."""

    sequence: int
    length: int


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix; compares whole blocks first, since most of a long chat is equal."""
    limit = min(len(a), len(b))
    low = 0
    step = 512
    while low + step <= limit and a[low : low + step] == b[low : low + step]:
        low += step
    while low < limit and a[low] == b[low]:
        low += 1
    return low


class Residents:
    """Mutable; owned by the scheduler."""

    def __init__(self, sequences: int) -> None:
        self._free = list(range(sequences - 1, -1, -1))
        self._by_sequence: dict[int, Resident] = {}

    def get(self, sequence: int) -> Resident:
        return self._by_sequence[sequence]

    def all(self) -> list[Resident]:
        return list(self._by_sequence.values())

    def idle(self) -> list[Resident]:
        """Finished sequences kept for their prefix, least recently used first."""
        return sorted((r for r in self._by_sequence.values() if not r.running), key=lambda r: r.last_used)

    @property
    def has_free_id(self) -> bool:
        return bool(self._free)

    def open(self, step: int) -> Resident:
        """A new empty running sequence. Raises IndexError when no id is free."""
        resident = Resident(sequence=self._free.pop(), last_used=step)
        self._by_sequence[resident.sequence] = resident
        return resident

    def close(self, sequence: int) -> None:
        """The sequence left the cache; its id is free again."""
        del self._by_sequence[sequence]
        self._free.append(sequence)

    def longest_prefix(self, prompt: array[int], *, whole_only: bool) -> PrefixMatch | None:
        """The resident that holds most of the prompt's beginning; always leaves one token to decode for its logits.

        whole_only: a resident counts only if all of its tokens are a prefix of the prompt, because its tail cannot be
        removed (recurrent and hybrid models).
        """
        best: PrefixMatch | None = None
        best_key = (0, False)
        for resident in self._by_sequence.values():
            length = min(common_prefix(resident.tokens, prompt), len(prompt) - 1)
            if whole_only and length < len(resident.tokens):
                continue
            # Of equal matches an idle one is better: it can be continued in place.
            key = (length, not resident.running)
            if length > 0 and key > best_key:
                best, best_key = PrefixMatch(sequence=resident.sequence, length=length), key
        return best
