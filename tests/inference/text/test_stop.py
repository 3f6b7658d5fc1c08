"""Stop strings across token borders."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.text.stop import StopMatcher

from . import pieces_of


def _run(stops: tuple[str, ...], chunks: list[str]) -> tuple[str, bool]:
    matcher = StopMatcher(stops)
    shown, matched = "", False
    for chunk in chunks:
        text, matched = matcher.feed(chunk)
        shown += text
    return (shown, True) if matched else (shown + matcher.flush(), False)


def _plainly(stops: tuple[str, ...], text: str) -> tuple[str, bool]:
    """The definition: the first place where a stop string ends; the longest of those that end there."""
    for end in range(len(text) + 1):
        found = [stop for stop in stops if stop and text[:end].endswith(stop)]
        if found:
            return text[: end - max(map(len, found))], True
    return text, False


_words = st.text(alphabet="ab", max_size=5)


@given(st.lists(_words, max_size=3).map(tuple), st.text(alphabet="abc", max_size=30), st.data())
def test_agrees_with_the_definition_however_the_text_is_cut(
    stops: tuple[str, ...], text: str, data: st.DataObject
) -> None:
    assert _run(stops, data.draw(pieces_of(text))) == _plainly(stops, text)


@given(st.lists(_words.filter(bool), max_size=3).map(tuple), st.lists(st.text(alphabet="abc", max_size=4)))
def test_holds_back_only_what_may_become_a_stop_string(stops: tuple[str, ...], chunks: list[str]) -> None:
    matcher = StopMatcher(stops)
    seen = shown = ""
    for chunk in chunks:
        seen += chunk
        text, matched = matcher.feed(chunk)
        shown += text
        if matched:
            return
        held = seen[len(shown) :]
        assert not held or any(stop.startswith(held) for stop in stops)


def test_nothing_is_shown_after_a_match() -> None:
    matcher = StopMatcher(("END",))
    assert matcher.feed("oneE") == ("one", False)
    assert matcher.feed("NDtwo") == ("", True)
    assert matcher.feed("three") == ("", True)
    assert matcher.flush() == ""


@pytest.mark.parametrize("stops", [(), ("",)])
def test_without_stop_strings_everything_passes(stops: tuple[str, ...]) -> None:
    assert StopMatcher(stops).feed("text") == ("text", False)


def test_time_is_linear_for_the_worst_text() -> None:
    matcher = StopMatcher(("a" * 2000 + "b",))
    started = time.process_time()
    for _ in range(20_000):
        matcher.feed("a")
    assert time.process_time() - started < 2
