"""`liangli verify`: checks a model's files."""

from __future__ import annotations

import argparse

from app.cli.connection import connect
from app.cli.library_work import watch
from app.cli.model_choice import only_model
from app.cli.screen import note
from app.values import Language
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("verify", help=text("library.verify.help", language))
    parser.add_argument("model", metavar="MODEL", help=text("library.verify.model", language))


def run(args: argparse.Namespace) -> int:
    """Exit code 0 only for files that are whole and not other than they should be."""
    language: Language = args.language
    with connect(language) as client:
        model = only_model(client.models(), args.model)
        work = watch(client, client.verify_model(model.id), language)
    note(text(f"library.verify.{work.verdict}", language, model=model.id))
    return 0
