"""`liangli status`: where the service is, and what it has loaded."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from app.cli.connection import find
from app.cli.screen import print_facts, print_json
from app.values import Language
from app.words import exit_code, shown_bytes
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("status", help=text("cli.status.help", language))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    """Ends with ServiceUnreachable's exit code when no service runs; starts none."""
    client = find(args.language)
    if client is None:
        if args.json:
            print_json({"running": False})
        else:
            print(text("cli.status.not_running", args.language))
        return exit_code("ServiceUnreachable")
    with client:
        status = client.status()
    if args.json:
        known = asdict(status)
        print_json({"running": True, "token": client.token, "service_pid": known.pop("pid"), **known})
        return 0
    engines = ", ".join(f"{engine.model} ({engine.pid})" for engine in status.engines)
    memory = text(
        "cli.status.memory_value",
        args.language,
        available=shown_bytes(status.available_memory_bytes),
        total=shown_bytes(status.total_memory_bytes),
        service=shown_bytes(status.service_memory_bytes),
    )
    values = {
        "address": status.base_url,
        "token": client.token,
        "process": str(status.pid),
        "version": status.version,
        "data": status.data_folder,
        "memory": memory,
        "engines": engines or text("cli.status.none", args.language),
    }
    print_facts([(text(f"cli.status.{name}", args.language), value) for name, value in values.items()])
    return 0
