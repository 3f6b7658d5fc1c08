"""Part `equal`: the same greedy answers as llama-server, streamed and not, alone and eight at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.cli.bench.answers import Answer, Asker, Server
from app.cli.bench.differences import NEAR_TIE_NATS, Difference, first_difference
from app.cli.bench.figures import Figure, Remark, Report, at_most
from app.cli.bench.ground import Setting, private_service
from app.cli.bench.peer import Peer
from app.cli.bench.prompts import load_prompts

MAX_TOKENS = 64
AT_ONCE = 8
# (name, streamed, how many at once)
WAYS = (
    ("alone_streamed", True, 1),
    ("alone_whole", False, 1),
    ("together_streamed", True, AT_ONCE),
    ("together_whole", False, AT_ONCE),
)


def measure(setting: Setting) -> Report:
    """The reference is llama-server's answer to each prompt alone, read from scratch.

    Its own eight at once are compared as well: they show how much of a difference is llama.cpp's rounding. One pass;
    greedy answers do not vary from round to round. What our cache still knows of a prompt is used, as in daily work.
    """
    assert setting.peer is not None
    prompts = load_prompts().equal
    plan = setting.plan()
    with private_service(setting.model_path) as ground:
        with Peer(setting.peer, plan, slots=AT_ONCE, folder=ground.folder) as peer:
            setting.say("equal: llama-server")
            reference = asyncio.run(_alone_with_tokens(peer.server(reuse_prompts=False), prompts))
            control = asyncio.run(_all(peer.server(reuse_prompts=False), prompts, True, AT_ONCE))
        ground.load()
        rounding = compare(reference, control)
        figures = [_count("equal_peer_together", rounding, None)]
        remarks = [_remark("llama-server", prompts, number, difference) for number, difference in rounding]
        for name, stream, at_once in WAYS:
            setting.say(f"equal: {name}")
            ours = asyncio.run(_all(ground.server(), prompts, stream, at_once))
            differences = compare(reference, ours)
            figures += [
                _count(f"equal_{name}_near_ties", [one for one in differences if one[1].near_tie], None),
                _count(f"equal_{name}_different", [one for one in differences if not one[1].near_tie], 0),
            ]
            remarks += [_remark(name, prompts, number, difference) for number, difference in differences]
    return Report(
        part="equal",
        figures=tuple(figures),
        remarks=tuple(remarks),
        setting={"prompts": len(prompts), "max_tokens": MAX_TOKENS, "near_tie_nats": NEAR_TIE_NATS},
    )


def compare(reference: Sequence[Answer], answers: Sequence[Answer]) -> list[tuple[int, Difference]]:
    """The differing answers by their place in the list."""
    found = []
    for number, (expected, answer) in enumerate(zip(reference, answers, strict=True)):
        difference = first_difference(expected.text, expected.tokens, answer.text)
        if difference is not None:
            found.append((number, difference))
    return found


async def _alone_with_tokens(server: Server, prompts: Sequence[str]) -> list[Answer]:
    async with Asker(server) as asker:
        return [await asker.chat(prompt, max_tokens=MAX_TOKENS, stream=False, logprobs=True) for prompt in prompts]


async def _all(server: Server, prompts: Sequence[str], stream: bool, at_once: int) -> list[Answer]:
    async with Asker(server) as asker:
        return await asker.chats(prompts, at_once=at_once, max_tokens=MAX_TOKENS, stream=stream)


def _count(name: str, found: Sequence[object], limit: int | None) -> Figure:
    return Figure(name=name, unit="count", values=(float(len(found)),), goal=None if limit is None else at_most(limit))


def _remark(way: str, prompts: Sequence[str], number: int, difference: Difference) -> Remark:
    margin = difference.margin_nats
    return Remark(
        name="difference_near_tie" if difference.near_tie else "difference",
        fields={
            "way": way,
            "number": number + 1,
            "prompt": prompts[number][:24],
            "token": difference.token + 1,
            "reference": difference.reference,
            "other": difference.other,
            "margin_nats": "?" if margin is None else round(margin, 3),
        },
    )
