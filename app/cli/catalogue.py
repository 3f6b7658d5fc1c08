"""`liangli catalogue`: how old the catalogue of models is, and renewing it once the user has agreed."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from app import paths, words
from app.cli import starter
from app.cli.connection import connect, find
from app.cli.screen import note, print_facts, print_json
from app.errors import RemoteError
from app.settings import load_settings, save_settings
from app.updates.address import catalogue_address
from app.values import Language
from resources.wording import text

if TYPE_CHECKING:
    from app.catalogue_values import CatalogueUpdate
    from models_catalog.families.kept_index import Ready

ACTIONS = ("status", "update", "off")
NOT_ALLOWED = 1
POLL_SECONDS = 0.1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"catalogue.command.{name}", language)

    parser = subparsers.add_parser("catalogue", help=say("help"))
    parser.add_argument(
        "action", nargs="?", choices=ACTIONS, default="status", metavar=say("action"), help=say("action_help")
    )
    parser.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help=say("yes"))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    """Only `update` uses the network, and only after consent."""
    match args.action:
        case "update":
            return _update(args)
        case "off":
            return _off(args.language)
        case _:
            return _status(args)


def _update(args: argparse.Namespace) -> int:
    """Raises SigningKeyMissing and UpdateAddressMissing before anything is asked of the user or the network."""
    from models_catalog.signed.errors import SigningKeyMissing, UpdateAddressMissing
    from models_catalog.signed.keys import shipped_keys

    language: Language = args.language
    if not shipped_keys():
        raise SigningKeyMissing
    if not load_settings(paths.settings_file()).catalogue_updates:
        if not _address():
            raise UpdateAddressMissing
        if not _agreed(args.yes, language):
            return NOT_ALLOWED
    with connect(language) as client:
        client.update_settings(catalogue_updates=True)
        update = client.check_catalogue()
        while update.state == "checking":
            time.sleep(POLL_SECONDS)
            update = client.catalogue_update()
    if update.error is not None:
        raise RemoteError(update.error.code, update.error.fields, words.http_status(update.error.code))
    if args.json:
        print_json({"state": update.state, "date": update.date})
    else:
        note(text(f"catalogue.update.{update.state}", language, date=update.date))
    return 0


def _agreed(yes: bool, language: Language) -> bool:
    if yes:
        return True
    note(text("catalogue.update.about", language, address=_address()))
    if not starter.can_ask():
        note(text("catalogue.update.needs_yes", language))
        return False
    sys.stderr.write(text("catalogue.update.question", language))
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes", "是", "好"):
        return True
    note(text("catalogue.update.refused", language))
    return False


def _off(language: Language) -> int:
    client = find(language)
    if client is None:
        save_settings(paths.settings_file(), {"catalogue_updates": False})
    else:
        with client:
            client.update_settings(catalogue_updates=False)
    note(text("catalogue.update.off", language))
    return 0


def _status(args: argparse.Namespace) -> int:
    from app.cli.catalogue_text import note_problems
    from models_catalog.families.kept_index import KeptIndex

    ready = KeptIndex(paths.families_folder()).get()
    note_problems(ready, args.language)
    update = _last_check(args.language)
    if args.json:
        print_json(_record(ready, update))
        return 0
    print_facts(_facts(ready, update, args.language))
    if update is not None and update.error is not None:
        note(words.describe(update.error.code, update.error.fields, args.language))
    return 0


def _facts(ready: Ready, update: CatalogueUpdate | None, language: Language) -> list[tuple[str, str]]:
    from models_catalog.signed.keys import shipped_keys

    def say(name: str, **fields: object) -> str:
        return text(f"catalogue.status.{name}", language, **fields)

    allowed = load_settings(paths.settings_file()).catalogue_updates
    found = [
        (say("date"), say("from_update" if ready.updated else "from_build", date=ready.date)),
        (say("models"), say("models_line", count=len(ready.index.models), hidden=_hidden(ready))),
        (say("updates"), say("allowed" if allowed else "not_allowed")),
        (say("address"), _address() or say("no_address")),
        (say("keys"), " ".join(key.id for key in shipped_keys()) or say("no_keys")),
    ]
    if update is not None and update.checked_at is not None:
        found.append((say("checked"), time.strftime("%Y-%m-%d %H:%M", time.localtime(update.checked_at))))
    for number, one in enumerate(ready.left_out):
        line = say(f"left_out_{one.why}", family=one.family, detail=one.detail)
        found.append(("" if number else say("left_out"), line))
    return found


def _record(ready: Ready, update: CatalogueUpdate | None) -> dict[str, Any]:
    from models_catalog.signed.keys import shipped_keys

    return {
        "date": ready.date,
        "updated": ready.updated,
        "models": len(ready.index.models),
        "hidden": _hidden(ready),
        "allowed": load_settings(paths.settings_file()).catalogue_updates,
        "address": _address(),
        "keys": [key.id for key in shipped_keys()],
        "checked_at": update.checked_at if update is not None else None,
        "left_out": [{"family": one.family, "why": one.why, "detail": one.detail} for one in ready.left_out],
        "problems": [{"path": one.path, "problem": one.problem} for one in ready.problems],
    }


def _hidden(ready: Ready) -> int:
    return sum(not model.confirmed and not model.own for model in ready.index.models)


def _last_check(language: Language) -> CatalogueUpdate | None:
    """From the service, if it runs."""
    client = find(language)
    if client is None:
        return None
    with client:
        return client.catalogue_update()


def _address() -> str:
    """Where updates are, as the service that this command starts will see it."""
    return catalogue_address(load_settings(paths.settings_file()))
