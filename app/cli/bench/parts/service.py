"""Part `service`: what the service costs while nobody asks it anything."""

from __future__ import annotations

import asyncio

from app.cli.bench.answers import Asker, Server
from app.cli.bench.figures import Figure, Report, at_most
from app.cli.bench.ground import Setting, private_service
from app.cli.bench.processes import idle_cpu_percent, memory_bytes, resident_bytes
from app.cli.bench.prompts import load_prompts

ROUNDS = 3
WATCHED_SECONDS = 4.0
_MEMORY_LIMIT_BYTES = 130_000_000


def measure(setting: Setting) -> Report:
    """A new service each round: just started, then with a model loaded that has answered."""
    fresh: list[float] = []
    resident: list[float] = []
    used: list[float] = []
    idle_percent: list[float] = []
    engine_percent: list[float] = []
    for number in range(setting.rounds_or(ROUNDS)):
        setting.say(f"service: {number + 1}")
        with private_service(setting.model_path) as ground:
            idle_percent.append(idle_cpu_percent(ground.pid, WATCHED_SECONDS))
            fresh.append(memory_bytes(ground.pid))
            resident.append(resident_bytes(ground.pid))
            ground.load()
            asyncio.run(_answer(ground.server()))
            used.append(memory_bytes(ground.pid))
            engine = ground.engine_pid()
            if engine is not None:
                engine_percent.append(idle_cpu_percent(engine, WATCHED_SECONDS))
    return Report(
        part="service",
        figures=(
            Figure(name="service_memory", unit="bytes", values=tuple(fresh), goal=at_most(_MEMORY_LIMIT_BYTES)),
            Figure(name="service_resident", unit="bytes", values=tuple(resident)),
            Figure(name="service_memory_used", unit="bytes", values=tuple(used), goal=at_most(_MEMORY_LIMIT_BYTES)),
            Figure(name="service_cpu", unit="percent", values=tuple(idle_percent)),
            Figure(name="service_engine_cpu", unit="percent", values=tuple(engine_percent)),
        ),
        setting={"watched_seconds": WATCHED_SECONDS},
    )


async def _answer(server: Server) -> None:
    async with Asker(server) as asker:
        await asker.chat(load_prompts().short, max_tokens=32)
