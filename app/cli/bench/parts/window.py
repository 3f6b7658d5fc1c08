"""Part `window`: how long the window takes to be painted, and what it costs with a short chat on the screen."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

from app.cli.bench.display import Display, display
from app.cli.bench.figures import Figure, Report, at_most
from app.cli.bench.ground import Ground, Setting, environment, liangli_command, private_service, source_folder
from app.cli.bench.processes import memory_bytes, resident_bytes
from app.cli.bench.prompts import load_prompts
from app.cli.bench.quiet import ForeignLoad
from app.client.events import read_event
from app.values import ChatMessage

ROUNDS = 5
_ANSWERS = 2
_MAX_TOKENS = 96
# app.gui.report, which no face may import from another.
_REPORT_VARIABLE = "LIANGLI_REPORT_WINDOW"
_SETTLING_SECONDS = 2.0
_SHOWN_LIMIT_SECONDS = 1.5
_MEMORY_LIMIT_BYTES = 150_000_000


class NoWindow(Exception):
    """The window ended without having reported; the message is what it was to report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    painted_seconds: float
    memory_bytes: int
    resident_bytes: int


def measure(setting: Setting) -> Report:
    """A new window each round, on a service that runs already (the window is painted before it asks for it)."""
    load = ForeignLoad()
    shown: list[_Shown] = []
    with private_service(setting.model_path) as ground, display() as screen:
        chat_id = _short_chat(ground)
        for number in range(setting.rounds_or(ROUNDS)):
            setting.say(f"window: {number + 1}")
            load.look()
            shown.append(_show(ground, screen, chat_id))
    return Report(
        part="window",
        figures=(
            Figure(
                name="window_shown",
                unit="seconds",
                values=tuple(one.painted_seconds for one in shown),
                goal=at_most(_SHOWN_LIMIT_SECONDS),
            ),
            Figure(
                name="window_memory",
                unit="bytes",
                values=tuple(float(one.memory_bytes) for one in shown),
                goal=at_most(_MEMORY_LIMIT_BYTES),
            ),
            Figure(name="window_resident", unit="bytes", values=tuple(float(one.resident_bytes) for one in shown)),
        ),
        remarks=load.remarks(),
        foreign_cores=tuple(load.samples),
        setting={"display": screen.kind, "messages": 2 * _ANSWERS},
    )


def _short_chat(ground: Ground) -> str:
    """A chat with some real answers in it; returns its id."""
    prompts = load_prompts()
    ground.load()
    chat_id = ground.client.create_chat(model=ground.model).summary.id
    for prompt in (prompts.short, prompts.long)[:_ANSWERS]:
        events = ground.client.events()
        answer = ground.client.send_message(
            chat_id, prompt, sampling={"temperature": 0}, max_tokens=_MAX_TOKENS
        ).assistant
        for event in events:
            happening = read_event(event)
            if isinstance(happening, ChatMessage) and happening.id == answer.id and happening.state != "streaming":
                break
    return chat_id


def _show(ground: Ground, screen: Display, chat_id: str) -> _Shown:
    began = time.perf_counter()
    with subprocess.Popen(
        liangli_command(),
        env=environment(ground.folder) | screen.variables | {_REPORT_VARIABLE: chat_id},
        cwd=source_folder(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as window:
        try:
            _await_line(window, "painted")
            painted_seconds = time.perf_counter() - began
            _await_line(window, "chat")
            time.sleep(_SETTLING_SECONDS)
            return _Shown(
                painted_seconds=painted_seconds,
                memory_bytes=memory_bytes(window.pid),
                resident_bytes=resident_bytes(window.pid),
            )
        finally:
            window.kill()


def _await_line(window: subprocess.Popen[bytes], line: str) -> None:
    assert window.stdout is not None
    while read := window.stdout.readline():
        if read.decode().strip() == line:
            return
    raise NoWindow(line)
