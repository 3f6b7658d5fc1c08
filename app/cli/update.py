"""`liangli update`: newer versions of the program, looked for and downloaded when asked; never by itself, never run."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app
from app import paths
from app.cli.screen import harmless, note, print_facts, print_json
from app.settings import load_settings
from app.updates.address import update_address
from app.updates.installing import how_to_install
from app.values import Language
from app.words import shown_bytes
from resources.wording import text

if TYPE_CHECKING:
    from app.updates.check import ThisCopy
    from app.updates.values import Fetched, Fetching, Found

ACTIONS = ("show", "check", "download")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"update.command.{name}", language)

    parser = subparsers.add_parser("update", help=say("help"), description=say("about"))
    parser.add_argument(
        "action", nargs="?", choices=ACTIONS, default="show", metavar=say("action"), help=say("action_help")
    )
    parser.add_argument("file", nargs="?", default="", metavar=say("file"), help=say("file_help"))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    """`show` stays offline; the other actions are the user's word that the network may be asked. No service is needed:
    after a return to an older version, which the service refuses, this still works."""
    match args.action:
        case "check":
            return _check(args)
        case "download":
            return _download(args)
        case _:
            return _show(args)


def _look() -> tuple[Found, ThisCopy]:
    """Raises what `check` does."""
    from app.updates.check import ThisCopy, check
    from models_catalog.signed import keys

    copy = ThisCopy()
    paths.prepare_data_folder()
    found = check(_address(), keys.shipped_keys(), state_file=paths.update_check_file(), copy=copy)
    return found, copy


def _check(args: argparse.Namespace) -> int:
    found, copy = _look()
    if args.json:
        print_json(_record(found))
        return 0
    if not found.newer:
        print(text("update.check.current", args.language, version=found.version))
        return 0
    _print_newer(found, copy, args.language)
    return 0


def _print_newer(found: Found, copy: ThisCopy, language: Language) -> None:
    def say(key: str, **fields: object) -> str:
        return text(f"update.check.{key}", language, **fields)

    print(say("newer", version=found.version, date=found.date, own_version=found.own_version))
    if notes := harmless(found.notes_zh if language == "zh" else found.notes_en).strip():
        print(f"\n{notes}")
    print()
    for file in found.files:
        if file.runs_here:
            line = say("best" if file.name == found.best else "file", name=file.name, size=shown_bytes(file.size_bytes))
        else:
            line = say("too_old", name=file.name, needs=file.needs, have=copy.system_version)
        print(f"  {line}")
    print(say("how") if found.best else say("no_file", system=copy.system))


def _download(args: argparse.Namespace) -> int:
    """Ctrl-C stops it and keeps what arrived."""
    found, _ = _look()
    if not found.newer and not args.file:
        if args.json:
            print_json(_record(found))
        else:
            print(text("update.check.current", args.language, version=found.version))
        return 0
    fetched = _fetch(found, args.file, args.language)
    if args.json:
        print_json({"path": fetched.path, "kind": fetched.kind, "sha256": fetched.sha256, "version": fetched.version})
        return 0
    print(text("update.download.done", args.language, path=fetched.path))
    print(how_to_install(fetched, args.language))
    print(text("update.install.keeps", args.language))
    return 0


def _fetch(found: Found, name: str, language: Language) -> Fetched:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from app.updates.fetching import fetch

    file = found.file(name or found.best)
    if file is not None:
        note(text("update.download.fetching", language, name=file.name, size=shown_bytes(file.size_bytes)))
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(done: Fetching) -> None:
            bar.update(task, completed=done.received_bytes, total=done.total_bytes)

        return fetch(
            found,
            paths.updates_folder(),
            name=name,
            progress=show,
            proxies=load_settings(paths.settings_file()).download_proxies,
        )


def _show(args: argparse.Namespace) -> int:
    from app.updates.last_look import read_last_look
    from app.updates.this_system import system, system_version
    from models_catalog.signed import keys

    look, address = read_last_look(paths.update_check_file()), _address()
    key_ids = [key.id for key in keys.shipped_keys()]
    if args.json:
        print_json(
            {
                "version": app.VERSION,
                "system": system(),
                "address": address,
                "keys": key_ids,
                "checked_at": look.checked_at,
                "seen_version": look.version or None,
                "downloaded": [str(path) for path in _downloaded()],
            }
        )
        return 0

    def say(key: str, **fields: object) -> str:
        return text(f"update.show.{key}", args.language, **fields)

    seen = say("never")
    if look.checked_at is not None:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(look.checked_at))
        seen = say("seen", when=when, version=look.version)
    facts = [
        (say("version"), app.VERSION),
        (say("system"), f"{system()} {system_version()}".strip()),
        (say("address"), address or say("no_address")),
        (say("keys"), " ".join(key_ids) or say("no_keys")),
        (say("checked"), seen),
    ]
    facts += [("" if number else say("downloaded"), str(path)) for number, path in enumerate(_downloaded())]
    print_facts(facts)
    return 0


def _downloaded() -> list[Path]:
    folder = paths.updates_folder()
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def _address() -> str:
    return update_address(load_settings(paths.settings_file()))


def _record(found: Found) -> dict[str, Any]:
    import msgspec

    record: dict[str, Any] = msgspec.to_builtins(found)
    del record["type"]
    notes = {"zh": record.pop("notes_zh"), "en": record.pop("notes_en")}
    return {"state": "newer" if found.newer else "current", **record, "notes": notes}
