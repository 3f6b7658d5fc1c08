"""`liangli show`: what the catalogue says of one model. Needs no service and no network."""

from __future__ import annotations

import argparse

from app import paths
from app.cli.screen import print_facts, print_json
from app.values import Language
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("show", help=text("cli.show.help", language))
    parser.add_argument(
        "model", nargs="+", metavar=text("cli.show.model", language), help=text("cli.show.model_help", language)
    )
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    # The catalogue takes some tens of milliseconds, which the other commands need not wait for.
    from app.cli.catalogue_facts import facts
    from app.cli.catalogue_text import note_problems, record
    from models_catalog.errors import CatalogueModelUnknown
    from models_catalog.families.kept_index import KeptIndex
    from models_catalog.families.search import find_model, likely

    ready = KeptIndex(paths.families_folder()).get()
    note_problems(ready, args.language)
    name = " ".join(args.model)
    model = find_model(ready.index, name)
    if model is None:
        raise CatalogueModelUnknown(name=name, candidates=likely(ready.index, name))
    if args.json:
        print_json(record(model))
    else:
        family = next(one for one in ready.index.families if one.id == model.family)
        print_facts(facts(model, family, args.language))
    return 0
