"""Server-sent events: lines of a text/event-stream become (id, data) pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSentEvent:
    """One event. `data` joins its data lines with newlines; `id` is "" when the event names none."""

    id: str
    data: str


def parse_events(lines: Iterable[str]) -> Iterator[ServerSentEvent]:
    """Events in the order of the stream. Comments (heart-beats) and a cut-off last event are left out."""
    data: list[str] = []
    event_id = ""
    for line in lines:
        if not line:
            if data:
                yield ServerSentEvent(id=event_id, data="\n".join(data))
            data, event_id = [], ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "id":
            event_id = value
