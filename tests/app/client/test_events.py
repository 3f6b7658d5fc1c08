"""Events as typed values."""

from __future__ import annotations

from app.client.events import Bye, Delta, EngineUnloaded, Gap, read_event
from app.values import Event


def test_reads_known_kinds() -> None:
    data = {"chat_id": "c", "message_id": "m", "offset": 0, "text": "好", "reasoning_offset": 0, "reasoning": ""}
    assert read_event(Event(number=1, kind="delta", data=data)) == Delta(**data)  # type: ignore[arg-type]
    assert read_event(Event(number=1, kind="bye", data={})) == Bye()
    assert read_event(Event(number=1, kind="gap", data={})) == Gap()
    assert read_event(Event(number=1, kind="engine_unloaded", data={"model": "m"})) == EngineUnloaded(model="m")


def test_a_newer_service_is_survived() -> None:
    assert read_event(Event(number=1, kind="moon", data={})) is None
    assert read_event(Event(number=1, kind="delta", data={"other": 1})) is None
    extra = {"chat_id": "c", "message_id": "m", "offset": 0, "text": "", "reasoning_offset": 0, "reasoning": "", "x": 1}
    assert isinstance(read_event(Event(number=1, kind="delta", data=extra)), Delta)
