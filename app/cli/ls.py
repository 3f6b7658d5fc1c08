"""`liangli ls`: the models on this computer."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from app.cli.connection import connect
from app.cli.screen import note, print_json, print_table
from app.values import Language
from app.words import describe, shown_bytes
from resources.wording import text

COLUMNS = ("model", "size", "quantization", "context", "licence", "path")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("ls", help=text("cli.ls.help", language))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    with connect(args.language) as client:
        models = client.models()
    if args.json:
        print_json([asdict(model) for model in models])
    elif not models:
        note(text("cli.ls.nothing", args.language))
    else:
        rows = [
            (
                model.id,
                shown_bytes(model.size_bytes),
                model.quantization,
                f"{model.trained_context_tokens:,}",
                model.licence or "-",
                model.path,
            )
            for model in models
        ]
        print_table([text(f"cli.ls.{column}", args.language) for column in COLUMNS], rows)
        for model in models:
            if model.problem is not None:
                problem = describe(model.problem.code, model.problem.fields, args.language)
                note(text("cli.ls.unusable", args.language, model=model.id, problem=problem))
    return 0
