"""`liangli mv`: moves the models folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli.connection import connect
from app.cli.library_work import watch
from app.cli.screen import note
from app.values import Language
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("mv", help=text("library.mv.help", language))
    parser.add_argument("folder", metavar="FOLDER", help=text("library.mv.folder", language))


def run(args: argparse.Namespace) -> int:
    """Ctrl-C, or anything that goes wrong, leaves the models where they were."""
    language: Language = args.language
    folder = Path(args.folder).expanduser().absolute()
    with connect(language) as client:
        work = watch(client, client.move_library(str(folder)), language)
    note(text("library.mv.moved", language, folder=folder))
    if work.left:
        note(text("library.mv.left", language, count=len(work.left)))
        for path in work.left:
            note(f"  {path}")
    return 0
