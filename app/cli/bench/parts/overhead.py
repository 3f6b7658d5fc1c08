"""Part `overhead`: what service, HTTP and scheduler cost per token, against a bare llama.cpp loop on the same file."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass

import msgspec

from app.cli.bench.answers import Answer, Asker, Server
from app.cli.bench.figures import Figure, Remark, Report, at_most, ratios
from app.cli.bench.ground import Setting, private_service, source_folder
from app.cli.bench.prompts import load_prompts
from app.cli.bench.quiet import ForeignLoad
from inference.values import LoadPlan
from inference.worker.environment import child_environment

ROUNDS = 7
TOKENS = 128
_MILLISECONDS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _BareRun:
    """The part of the bare loop's JSON that is used here."""

    token_seconds: tuple[float, ...]
    text: str

    @property
    def mean_seconds(self) -> float:
        return sum(self.token_seconds) / len(self.token_seconds)


def measure(setting: Setting) -> Report:
    """Interleaved rounds: bare loop, our stream. Both go on with the same text, so they must write the same."""
    prompt = load_prompts().counting
    plan = setting.plan()
    load = ForeignLoad()
    bare: list[_BareRun] = []
    ours: list[Answer] = []
    with private_service(setting.model_path) as ground:
        ground.load()
        asyncio.run(_stream(ground.server(), prompt))
        for number in range(setting.rounds_or(ROUNDS)):
            setting.say(f"overhead: {number + 1}")
            load.look()
            bare.append(_bare(plan, prompt))
            load.look()
            ours.append(asyncio.run(_stream(ground.server(), prompt)))
    our_seconds = [answer.token_seconds for answer in ours]
    bare_seconds = [run.mean_seconds for run in bare]
    return Report(
        part="overhead",
        figures=(
            _per_token("overhead_ours", our_seconds),
            _per_token("overhead_bare", bare_seconds),
            Figure(name="overhead_ratio", unit="ratio", values=ratios(our_seconds, bare_seconds), goal=at_most(1.03)),
        ),
        remarks=load.remarks() + _same_text(bare[-1], ours[-1]),
        foreign_cores=tuple(load.samples),
        setting={"tokens": TOKENS, "threads": plan.decode_threads, "context_tokens": plan.context_tokens},
    )


def _bare(plan: LoadPlan, prompt: str) -> _BareRun:
    command = [
        *(sys.executable, "-m", "inference.backends.llama_cpp.bare_loop", plan.model_path),
        *("--prompt", prompt),
        *("--tokens", str(TOKENS)),
        *("--context", str(plan.context_tokens)),
        *("--threads", str(plan.decode_threads)),
        *("--batch-threads", str(plan.batch_threads)),
        *(("--mmap",) if plan.memory_map else ()),
        *(() if plan.flash_attention else ("--no-flash-attention",)),
    ]
    output = subprocess.run(
        command, env=child_environment(os.environ), cwd=source_folder(), stdout=subprocess.PIPE, check=True
    ).stdout
    return msgspec.json.decode(output, type=_BareRun)


async def _stream(server: Server, prompt: str) -> Answer:
    async with Asker(server) as asker:
        return await asker.go_on(prompt, max_tokens=TOKENS)


def _per_token(name: str, seconds: list[float]) -> Figure:
    return Figure(name=name, unit="milliseconds", values=tuple(_MILLISECONDS * value for value in seconds))


def _same_text(bare: _BareRun, ours: Answer) -> tuple[Remark, ...]:
    if bare.text == ours.text:
        return ()
    return (Remark(name="other_text", fields={"reference": bare.text[-40:], "other": ours.text[-40:]}),)
