"""`liangli get`: fetches a starter model."""

from __future__ import annotations

import argparse

from app.cli import starter
from app.cli.connection import connect
from app.cli.screen import note
from app.values import Language
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("get", help=text("cli.get.help", language))
    parser.add_argument("key", nargs="?", help=text("cli.get.key", language))
    parser.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help=text("cli.program.yes", language))


def run(args: argparse.Namespace) -> int:
    """Fetch the named starter, or the one chosen at the terminal, or the smallest where nobody can be asked."""
    with connect(args.language) as client:
        offers = client.starter_offers()
        if args.key:
            offer = next((offer for offer in offers if offer.key == args.key), None)
            if offer is None:
                known = tuple(offer.key for offer in offers)
                from models_catalog.errors import StarterUnknown

                raise StarterUnknown(key=args.key, known=known)
        elif starter.can_ask() and not args.yes:
            note(text("cli.get.choose", args.language))
            offer = starter.choose_offer(offers, args.language)
        else:
            offer = starter.smallest(offers)
        starter.fetch(client, offer, args.language)
    return 0
