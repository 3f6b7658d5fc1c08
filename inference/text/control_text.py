"""Where text looks like a control token, or might become part of one."""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]


class ControlTexts:
    """The texts of a vocabulary's control tokens, ready for search. Linear in the text, with thousands of them too."""

    __slots__ = ("_by_pair", "_endings", "_joined", "_longest", "_openings", "_pair")

    def __init__(self, texts: frozenset[str]) -> None:
        known = sorted(text for text in texts if text)
        self._longest = max(map(len, known), default=0)
        by_pair: dict[str, dict[int, set[str]]] = {}
        for text in known:
            by_pair.setdefault(text[:2], {}).setdefault(len(text), set()).add(text)
        self._by_pair = {
            pair: tuple(sorted(lengths.items(), key=lambda item: item[0], reverse=True))
            for pair, lengths in by_pair.items()
        }
        # A look-ahead, so that occurrences that overlap are all found.
        self._pair = (
            re.compile("(?=(" + "|".join(map(re.escape, sorted(by_pair, reverse=True))) + "))") if known else None
        )
        self._openings = frozenset(text[:length] for text in known for length in range(1, len(text)))
        self._endings = frozenset(text[-length:] for text in known for length in range(1, len(text)))
        self._joined = "\0".join(known)

    def spans(self, text: str) -> Iterator[Span]:
        """Every place where the longest possible control text begins, in order; they may overlap."""
        if self._pair is None:
            return
        for match in self._pair.finditer(text):
            start = match.start()
            for pair in (match[1], match[1][:1]):
                end = self._end_at(text, start, pair)
                if end:
                    yield start, end
                    break

    def merged_spans(self, text: str) -> list[Span]:
        """The parts of `text` that are covered by control texts; overlapping ones are one part."""
        merged: list[Span] = []
        for start, end in self.spans(text):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def may_be_part(self, text: str) -> tuple[bool, bool]:
        """(the beginning, the end) of `text` could complete a control text together with what stands next to it."""
        if not text:
            return False, False
        if len(text) < self._longest and text in self._joined:
            return True, True
        reach = range(1, min(len(text), self._longest))
        return (
            any(text[:length] in self._endings for length in reach),
            any(text[-length:] in self._openings for length in reach),
        )

    def _end_at(self, text: str, start: int, pair: str) -> int:
        for length, texts in self._by_pair.get(pair, ()):
            if text[start : start + length] in texts:
                return start + length
        return 0
