"""Stop strings in text that arrives in pieces."""

from __future__ import annotations


def _borders(word: str) -> list[int]:
    """For each prefix of `word`, the longest proper prefix that is also its suffix (Knuth-Morris-Pratt)."""
    borders = [0] * len(word)
    length = 0
    for index in range(1, len(word)):
        while length and word[index] != word[length]:
            length = borders[length - 1]
        if word[index] == word[length]:
            length += 1
        borders[index] = length
    return borders


class StopMatcher:
    """Cuts text before the stop string that is completed first; of those completed together, the longest counts.

    The result does not depend on how the text is cut into pieces. Only text that may still become a stop string is held
    back. Time is linear in the text (times the number of stop strings).
    """

    __slots__ = ("_borders", "_first", "_held", "_matched", "_states", "_stops")

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(dict.fromkeys(stop for stop in stops if stop))
        self._borders = [_borders(stop) for stop in self._stops]
        self._first = frozenset(stop[0] for stop in self._stops)
        self._states = [0] * len(self._stops)
        self._held = ""
        self._matched = False

    def feed(self, text: str) -> tuple[str, bool]:
        """(text that may be shown now, whether a stop string is complete). After a match nothing is shown any more."""
        if self._matched:
            return "", True
        if not self._held and self._first.isdisjoint(text):
            return text, False
        whole = self._held + text
        for index in range(len(self._held), len(whole)):
            stopped = self._step(whole[index])
            if stopped:
                self._matched = True
                self._held = ""
                return whole[: index + 1 - stopped], True
        keep = len(whole) - max(self._states)
        self._held = whole[keep:]
        return whole[:keep], False

    def flush(self) -> str:
        """End of the text: what was held back after all."""
        held, self._held = self._held, ""
        self._states = [0] * len(self._stops)
        return held

    def _step(self, char: str) -> int:
        """Advance every stop string by one character; length of the longest one that is complete now, else 0."""
        complete = 0
        for number, stop in enumerate(self._stops):
            state = self._states[number]
            while state and stop[state] != char:
                state = self._borders[number][state - 1]
            if stop[state] == char:
                state += 1
            if state == len(stop):
                complete = max(complete, state)
                state = self._borders[number][state - 1]
            self._states[number] = state
        return complete
