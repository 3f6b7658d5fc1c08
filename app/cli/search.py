"""`liangli search`: which models there are. Needs no service and no network."""

from __future__ import annotations

import argparse

from app import paths
from app.cli.screen import note, print_json
from app.values import Language
from resources.wording import text

# As in models_catalog.families.values, which is not imported before it is needed.
ABILITIES = ("chat", "thinking", "tools", "vision", "code", "audio", "translation", "embedding", "rerank")
STATES = ("ready", "needs_conversion", "use_successor", "not_supported")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"cli.search.{name}", language)

    parser = subparsers.add_parser("search", help=say("help"))
    parser.add_argument("text", nargs="*", metavar=say("text"), help=say("text_help"))
    parser.add_argument(
        "--ability", action="append", default=[], choices=ABILITIES, metavar="NAME", help=say("ability")
    )
    parser.add_argument("--max-params", type=size, metavar="8B", help=say("max_params"))
    parser.add_argument("--licence", "--license", default="", metavar="NAME", help=say("licence"))
    parser.add_argument("--vendor", default="", metavar="NAME", help=say("vendor"))
    parser.add_argument("--state", action="append", default=[], choices=STATES, metavar="NAME", help=say("state_help"))
    parser.add_argument("--all", action="store_true", help=say("all"))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def size(written: str) -> int:
    """A number of parameters; argparse names this function when it is none."""
    from models_catalog.families.query import parse_size

    return parse_size(written)


def run(args: argparse.Namespace) -> int:
    # The catalogue takes some tens of milliseconds, which the other commands need not wait for.
    from app.cli.catalogue_text import note_problems, print_models, record
    from models_catalog.families.kept_index import KeptIndex
    from models_catalog.families.query import Filters, parse_query
    from models_catalog.families.search import search
    from models_catalog.families.values import Ability, State

    ready = KeptIndex(paths.families_folder()).get()
    filters = Filters(
        abilities=frozenset(map(Ability, args.ability)),
        max_parameters=args.max_params,
        licence=args.licence,
        vendor=args.vendor,
        states=frozenset(map(State, args.state)),
        unconfirmed=True,
    )
    everything = [hit.model for hit in search(ready.index, parse_query(" ".join(args.text), filters))]
    shown = [model for model in everything if args.all or model.confirmed or model.own]
    note_problems(ready, args.language)
    if args.json:
        print_json([record(model) for model in shown])
        return 0
    if shown:
        print_models(shown, args.language)
    else:
        note(text("cli.search.nothing", args.language))
    if hidden := len(everything) - len(shown):
        note(text("cli.search.hidden", args.language, count=hidden))
    return 0
