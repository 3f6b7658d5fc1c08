"""Part `kills`: the engine is killed again and again while several chats are being answered; nothing may be lost."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field

import psutil

from app.cli.bench.figures import Figure, Remark, Report, at_most
from app.cli.bench.ground import Setting, running_service, temporary_folder
from app.cli.bench.prompts import Prompts, load_prompts
from app.cli.bench.watched_answers import WatchedAnswers
from app.client.http import ServiceClient
from app.errors import RemoteError

KILLS = 50
CHATS = 4
_SIGNAL_NAMES = ("SIGKILL", "SIGSEGV", "SIGABRT")
# Where there are no signals the process is ended the one way that the system knows.
_SIGNALS = tuple(getattr(signal, name) for name in _SIGNAL_NAMES if hasattr(signal, name)) or (signal.SIGTERM,)
_CHARACTERS_BEFORE = 12
_PATIENCE_SECONDS = 60.0
_NEXT_ANSWER_LIMIT_SECONDS = 5.0


@dataclass(slots=True)
class _Tally:
    """What was seen. cut: (chat, message, its text before the kill). The counts are those of the figures."""

    cut: list[tuple[str, str, str]] = field(default_factory=list)
    next_seconds: list[float] = field(default_factory=list)
    other_service: int = 0
    zombies: int = 0
    lost: int = 0
    not_marked: int = 0


def measure(setting: Setting) -> Report:
    """Whether texts are kept is looked up at the end in a new service on the same data folder, thus on the disk."""
    prompts = load_prompts()
    tally = _Tally()
    with temporary_folder() as folder:
        with running_service(folder) as (client, pid):
            model = client.import_model(str(setting.model_path)).id
            client.load_engine(model)
            watched = WatchedAnswers(client)
            chats = [client.create_chat(title=f"{number}", model=model).summary.id for number in range(CHATS)]
            for number in range(setting.rounds_or(KILLS)):
                setting.say(f"kills: {number + 1}")
                _kill_once(client, watched, chats, prompts, _SIGNALS[number % len(_SIGNALS)], tally)
                tally.other_service += client.status().pid != pid
                tally.zombies += _zombies(pid)
        with running_service(folder) as (client, _):
            _look_up(client, tally)
    return Report(
        part="kills",
        figures=(
            _count("kills_done", len(tally.next_seconds), limited=False),
            _count("kills_chats_lost", tally.lost),
            _count("kills_not_marked", tally.not_marked),
            _count("kills_service_restarts", tally.other_service),
            _count("kills_zombies", tally.zombies),
            Figure(name="kills_next_answer", unit="seconds", values=tuple(tally.next_seconds)),
            Figure(
                name="kills_slowest_answer",
                unit="seconds",
                values=(max(tally.next_seconds),),
                goal=at_most(_NEXT_ANSWER_LIMIT_SECONDS),
            ),
        ),
        remarks=(Remark(name="kills_cut", fields={"answers": len(tally.cut)}),),
        setting={"chats": CHATS, "signals": [one.name for one in _SIGNALS]},
    )


def _kill_once(
    client: ServiceClient,
    watched: WatchedAnswers,
    chats: list[str],
    prompts: Prompts,
    with_signal: signal.Signals,
    tally: _Tally,
) -> None:
    """Every chat is being answered; the engine is killed; one more answer is asked for at once."""
    answers = {chat: client.send_message(chat, prompts.long, parent_id=None).assistant.id for chat in chats}
    watched.wait_for_text(answers.values(), _CHARACTERS_BEFORE, _PATIENCE_SECONDS)
    engine = next(one.pid for one in client.status().engines if one.pid is not None)
    writing = {chat: answer for chat, answer in answers.items() if watched.seen(answer).state == "streaming"}
    before = {answer: watched.seen(answer).text for answer in writing.values()}
    killed_at = time.perf_counter()
    psutil.Process(engine).send_signal(with_signal)
    watched.wait_for_end(answers.values(), _PATIENCE_SECONDS)
    tally.cut += [(chat, answer, before[answer]) for chat, answer in writing.items()]
    following = client.send_message(chats[0], prompts.short, parent_id=None, max_tokens=4).assistant.id
    watched.wait_for_text([following], 1, _PATIENCE_SECONDS)
    tally.next_seconds.append(watched.seen(following).first_at - killed_at)
    watched.wait_for_end([following], _PATIENCE_SECONDS)


def _zombies(service_pid: int) -> int:
    children = psutil.Process(service_pid).children(recursive=True)
    return sum(child.status() == psutil.STATUS_ZOMBIE for child in children if child.is_running())


def _look_up(client: ServiceClient, tally: _Tally) -> None:
    """Find every answer that was cut: in its chat, with at least the text that had been shown, and marked."""
    for chat_id, message_id, text in tally.cut:
        try:
            branch = client.show_branch(chat_id, message_id).messages
        except RemoteError:
            tally.lost += 1
            continue
        kept = next((message for message in branch if message.id == message_id), None)
        if kept is None or not kept.text.startswith(text):
            tally.lost += 1
        elif kept.state != "interrupted" or kept.error is None:
            tally.not_marked += 1


def _count(name: str, count: int, *, limited: bool = True) -> Figure:
    return Figure(name=name, unit="count", values=(float(count),), goal=at_most(0) if limited else None)
