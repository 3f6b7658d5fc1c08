"""`liangli rm`: removes a model, after saying what that deletes."""

from __future__ import annotations

import argparse
import sys

from app.cli import starter
from app.cli.connection import connect
from app.cli.model_choice import only_model
from app.cli.screen import note
from app.values import Language, LocalModel, ModelRemoval
from app.words import shown_bytes
from resources.wording import text

NOT_CONFIRMED = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("rm", help=text("library.rm.help", language))
    parser.add_argument("model", metavar="MODEL", help=text("library.rm.model", language))
    parser.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help=text("library.rm.yes", language))


def run(args: argparse.Namespace) -> int:
    """A model that is loaded and idle is unloaded first; one that answers is left alone."""
    language: Language = args.language
    with connect(language) as client:
        model = only_model(client.models(), args.model)
        removal = client.model_removal(model.id)
        _show(model, removal, language)
        if not args.yes:
            if not starter.can_ask():
                note(text("library.rm.needs_yes", language))
                return NOT_CONFIRMED
            if not _confirmed(language):
                note(text("library.rm.kept", language))
                return NOT_CONFIRMED
        if any(engine.model == model.id for engine in client.status().engines):
            client.unload_engine(model.id)
        removed = client.remove_model(model.id)
    ending = "removed" if removed.paths else "forgotten"
    note(text(f"library.rm.{ending}", language, model=model.id, size=shown_bytes(removed.freed_bytes)))
    return 0


def _show(model: LocalModel, removal: ModelRemoval, language: Language) -> None:
    if not removal.paths:
        words = "forgets_missing" if model.missing else "forgets"
        note(text(f"library.rm.{words}", language, model=model.id, path=model.path))
        return
    size = shown_bytes(removal.freed_bytes)
    note(text("library.rm.deletes", language, count=len(removal.paths), size=size))
    for path in removal.paths:
        note(f"  {path}")


def _confirmed(language: Language) -> bool:
    sys.stderr.write(text("library.rm.question", language))
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是", "好")
