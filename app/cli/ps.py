"""`liangli ps`: the loaded models and what each is doing."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from app.cli.connection import find
from app.cli.screen import note, print_json, print_table
from app.values import EngineStatus, Language
from app.words import shown_bytes
from resources.wording import text

COLUMNS = ("model", "state", "process", "context", "memory", "requests", "speed")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("ps", help=text("cli.ps.help", language))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    """Starts nothing; without a service there are no loaded models."""
    client = find(args.language)
    engines: tuple[EngineStatus, ...] = ()
    if client is not None:
        with client:
            engines = client.status().engines
    if args.json:
        print_json([asdict(engine) for engine in engines])
    elif not engines:
        note(text("cli.ps.nothing", args.language))
    else:
        headers = [text(f"cli.ps.{column}", args.language) for column in COLUMNS]
        print_table(headers, [_row(engine, args.language) for engine in engines])
    return 0


def _row(engine: EngineStatus, language: Language) -> tuple[str, ...]:
    state = text(f"cli.ps.{engine.state}", language)
    speed = text("cli.chat.speed", language, number=f"{engine.tokens_per_second:.1f}")
    return (
        engine.model,
        f"{state} {engine.load_fraction:.0%}" if engine.state == "loading" else state,
        str(engine.pid or "-"),
        f"{engine.context_tokens:,}",
        shown_bytes(engine.memory_bytes),
        f"{engine.running_requests} + {engine.waiting_requests}",
        speed if engine.tokens_per_second else "-",
    )
