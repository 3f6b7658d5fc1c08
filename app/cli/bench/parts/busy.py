"""Part `busy`: how much of one stream's speed is left while another program keeps one core busy."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.bench.answers import Asker, Server
from app.cli.bench.figures import Figure, Report, at_least, ratios
from app.cli.bench.ground import Setting, private_service
from app.cli.bench.prompts import load_prompts
from app.cli.bench.quiet import ForeignLoad

ROUNDS = 5
TOKENS = 64


def measure(setting: Setting) -> Report:
    """Interleaved rounds: quiet, beside a spinning process."""
    prompt = load_prompts().counting
    load = ForeignLoad()
    quiet: list[float] = []
    busy: list[float] = []
    with private_service(setting.model_path) as ground:
        ground.load()
        asyncio.run(_tokens_per_second(ground.server(), prompt))
        for number in range(setting.rounds_or(ROUNDS)):
            setting.say(f"busy: {number + 1}")
            load.look()
            quiet.append(asyncio.run(_tokens_per_second(ground.server(), prompt)))
            with _spinning_process():
                busy.append(asyncio.run(_tokens_per_second(ground.server(), prompt)))
    return Report(
        part="busy",
        figures=(
            Figure(name="busy_quiet", unit="tokens_per_second", values=tuple(quiet)),
            Figure(name="busy_busy", unit="tokens_per_second", values=tuple(busy)),
            Figure(name="busy_ratio", unit="ratio", values=ratios(busy, quiet), goal=at_least(0.5)),
        ),
        remarks=load.remarks(),
        foreign_cores=tuple(load.samples),
        setting={"tokens": TOKENS, "threads": setting.plan().decode_threads},
    )


async def _tokens_per_second(server: Server, prompt: str) -> float:
    async with Asker(server) as asker:
        return 1 / (await asker.go_on(prompt, max_tokens=TOKENS)).token_seconds


@contextmanager
def _spinning_process() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()
