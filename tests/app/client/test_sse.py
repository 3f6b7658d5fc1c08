"""The event-stream parser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.client.sse import ServerSentEvent, parse_events


def test_joins_data_lines_and_leaves_out_heartbeats() -> None:
    lines = [": beat", "", "id: 7", "event: x", "data: one", "data: two", "", "data:three", ""]
    assert list(parse_events(lines)) == [
        ServerSentEvent(id="7", data="one\ntwo"),
        ServerSentEvent(id="", data="three"),
    ]


def test_an_event_cut_off_by_the_end_is_left_out() -> None:
    assert list(parse_events(["data: half"])) == []


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", categories=("L", "N", "P", "S", "Z")), min_size=1)))
def test_every_written_event_is_read_back(texts: list[str]) -> None:
    lines = [line for text in texts for line in (f"data: {text}", "")]
    assert [event.data for event in parse_events(lines)] == texts


@given(st.lists(st.text()))
def test_any_lines_are_survived(lines: list[str]) -> None:
    list(parse_events(lines))
