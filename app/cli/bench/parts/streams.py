"""Part `streams`: eight answers at once, against llama-server; every answer must be the one it gives alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from statistics import median

from app.cli.bench.answers import Answer, Asker, Server
from app.cli.bench.differences import first_difference
from app.cli.bench.figures import Figure, Remark, Report, at_least, at_most, ratios
from app.cli.bench.ground import Setting, private_service
from app.cli.bench.peer import Peer
from app.cli.bench.prompts import load_prompts
from app.cli.bench.quiet import ForeignLoad

ROUNDS = 5
MAX_TOKENS = 96
AT_ONCE = 8


def measure(setting: Setting) -> Report:
    """Interleaved rounds on new prompts, taking turns in who begins; the answers alone come after all timing."""
    templates = load_prompts().streams
    plan = setting.plan()
    load = ForeignLoad()
    ours: list[list[Answer]] = []
    theirs: list[list[Answer]] = []
    with private_service(setting.model_path) as ground:
        server = ground.server()
        ground.load()
        asyncio.run(_together(server, _prompts(templates, 0)))
        if setting.peer is None:
            for number in range(1, 1 + setting.rounds_or(ROUNDS)):
                setting.say(f"streams: {number}")
                load.look()
                ours.append(asyncio.run(_together(server, _prompts(templates, number))))
        else:
            with Peer(setting.peer, plan, slots=AT_ONCE, folder=ground.folder) as peer:
                other = peer.server(reuse_prompts=True)
                asyncio.run(_together(other, _prompts(templates, 0)))
                for number in range(1, 1 + setting.rounds_or(ROUNDS)):
                    setting.say(f"streams: {number}")
                    turns = ((ours, server), (theirs, other))
                    for answers, asked in turns if number % 2 else reversed(turns):
                        load.look()
                        answers.append(asyncio.run(_together(asked, _prompts(templates, number))))
        lost, mixed, remarks = asyncio.run(_check(server, templates, ours, setting))
    return Report(
        part="streams",
        figures=(
            *_speeds("ours", ours),
            *(_speeds("peer", theirs) + _ratio(ours, theirs) if theirs else ()),
            Figure(name="streams_lost", unit="count", values=(float(lost),), goal=at_most(0)),
            Figure(name="streams_mixed", unit="count", values=(float(mixed),), goal=at_most(0)),
        ),
        remarks=load.remarks() + remarks,
        foreign_cores=tuple(load.samples),
        setting={
            "streams": AT_ONCE,
            "max_tokens": MAX_TOKENS,
            "threads": plan.decode_threads,
            "batch_threads": plan.batch_threads,
            "context_tokens": plan.context_tokens,
        },
    )


def together_per_second(answers: Sequence[Answer]) -> float:
    """All tokens of answers that ran at once, by the time from the first request to the last piece of text."""
    tokens = sum(answer.shown_tokens for answer in answers)
    return tokens / (max(answer.last_at for answer in answers) - min(answer.sent_at for answer in answers))


def _prompts(templates: Sequence[str], number: int) -> list[str]:
    return [template.format(round=number) for template in templates]


async def _together(server: Server, prompts: Sequence[str]) -> list[Answer]:
    async with Asker(server) as asker:
        return await asker.chats(prompts, at_once=AT_ONCE, max_tokens=MAX_TOKENS)


async def _check(
    server: Server, templates: Sequence[str], rounds: Sequence[Sequence[Answer]], setting: Setting
) -> tuple[int, int, tuple[Remark, ...]]:
    """(answers without an end, answers that are not those given alone, what differed)."""
    lost = mixed = 0
    remarks: list[Remark] = []
    async with Asker(server) as asker:
        for number, answers in enumerate(rounds, start=1):
            setting.say(f"streams: alone {number}")
            for prompt, answer in zip(_prompts(templates, number), answers, strict=True):
                lost += answer.finish_reason not in ("stop", "length") or not answer.text
                alone = await asker.chat(prompt, max_tokens=MAX_TOKENS, logprobs=True)
                difference = first_difference(alone.text, alone.tokens, answer.text)
                if difference is None:
                    continue
                mixed += not difference.near_tie
                remarks.append(
                    Remark(
                        name="stream_near_tie" if difference.near_tie else "stream_different",
                        fields={
                            "prompt": prompt[:24],
                            "token": difference.token + 1,
                            "reference": difference.reference,
                            "other": difference.other,
                            "margin_nats": "?" if difference.margin_nats is None else round(difference.margin_nats, 3),
                        },
                    )
                )
    return lost, mixed, tuple(remarks)


def _speeds(whose: str, rounds: Sequence[Sequence[Answer]]) -> tuple[Figure, ...]:
    return (
        Figure(
            name=f"streams_{whose}_speed",
            unit="tokens_per_second",
            values=tuple(together_per_second(answers) for answers in rounds),
        ),
        Figure(
            name=f"streams_{whose}_first",
            unit="seconds",
            values=tuple(median(answer.first_seconds for answer in answers) for answers in rounds),
        ),
    )


def _ratio(ours: Sequence[Sequence[Answer]], theirs: Sequence[Sequence[Answer]]) -> tuple[Figure, ...]:
    values = ratios([together_per_second(one) for one in ours], [together_per_second(one) for one in theirs])
    return (Figure(name="streams_ratio", unit="ratio", values=values, goal=at_least(0.95)),)
