"""`liangli engine`: which engine computes here, with which back ends; adding, choosing and checking them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import paths
from app.cli.connection import find
from app.cli.engine_text import EngineState, facts, record, word
from app.cli.screen import note, print_facts, print_json
from app.engine_choice.choice import EngineChoice
from app.engine_choice.environment import AUTO, own_variables
from app.errors import SettingInvalid
from app.settings import Settings, load_settings, save_settings
from app.values import Language
from inference.backends.llama_cpp.back_ends import CPU_ONLY, SAFE
from inference.engine_folder import engine_folder
from inference.engine_packs.errors import PackDamaged, PackMissing, PackRefused
from inference.engine_packs.store import (
    PackStore,
    broken_files,
    fits,
    fitting_of,
    name_of,
    read_folder_manifest,
    require_fitting,
)
from inference.engine_report import ask_engine
from inference.engine_version import engine_version
from inference.errors import EngineUnsound
from resources.wording import text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return word(f"help.{name}", language)

    parser = subparsers.add_parser("engine", help=say("engine"), description=say("about"))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))
    actions = parser.add_subparsers(dest="action", metavar=say("action"))
    for name in ("list", "add", "remove", "select", "variant", "check"):
        action = actions.add_parser(name, help=say(name), description=say(name))
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        match name:
            case "add":
                action.add_argument("file", metavar=say("file"), help=say("file_help"))
            case "remove":
                action.add_argument("name", metavar=say("name"), help=say("name_help"))
            case "select":
                action.add_argument("names", nargs="+", metavar=say("name"), help=say("select_help"))
            case "variant":
                action.add_argument("variant", nargs="?", metavar=say("variant_name"), help=say("variant_help"))


def run(args: argparse.Namespace) -> int:
    """Raises leaves of PackProblem, SettingInvalid, EngineUnsound."""
    actions: dict[str, Callable[[argparse.Namespace], None]] = {
        "add": _add,
        "remove": _remove,
        "select": _select,
        "variant": _variant,
        "check": _check,
    }
    actions.get(args.action or "list", _list)(args)
    return 0


def _list(args: argparse.Namespace) -> None:
    state = _state(_choice(load_settings(paths.settings_file())))
    if args.json:
        print_json(record(state))
    else:
        print_facts(facts(state, args.language))


def _add(args: argparse.Namespace) -> None:
    if "://" in args.file:
        raise PackRefused(name=args.file, reason="address")
    settings = load_settings(paths.settings_file())
    _choice(settings)
    added = PackStore(paths.prepare_data_folder()).add(Path(args.file), fitting_of(os.environ))
    _keep({"engine_packs": settings.engine_packs}, args.language)
    if args.json:
        print_json({"added": added.name, "kind": added.kind, "folder": str(added.folder)})
    else:
        note(word(f"done.added_{added.kind}", args.language, name=added.name))


def _remove(args: argparse.Namespace) -> None:
    settings = load_settings(paths.settings_file())
    store = PackStore(paths.data_folder())
    store.find(args.name)
    packs = [name for name in settings.engine_packs.split() if name != args.name]
    changes = {"engine_packs": " ".join(packs) or AUTO}
    # Chosen no more before it is gone, so that no child starts with half of it.
    _keep(changes | ({"engine": ""} if settings.engine == args.name else {}), args.language)
    removed = store.remove(args.name)
    _keep(changes, args.language)
    if args.json:
        print_json({"removed": [str(one.folder) for one in removed]})
    else:
        note(word("done.removed", args.language, name=args.name))


def _select(args: argparse.Namespace) -> None:
    _keep(_selection(args.names), args.language)
    if args.json:
        _list(args)
    else:
        note(word("done.selected", args.language, name=" ".join(args.names)))


def _selection(names: list[str]) -> dict[str, str]:
    """The settings that the names mean. Raises PackMissing, PackRefused."""
    if names == [AUTO]:
        return {"engine": "", "engine_packs": AUTO}
    if names == [CPU_ONLY]:
        return {"engine_packs": CPU_ONLY}
    settings = load_settings(paths.settings_file())
    _choice(settings)
    store, fitting = PackStore(paths.data_folder()), fitting_of(os.environ)
    found = [store.find(name, fitting.ggml) for name in names]
    for one in found:
        require_fitting(one.manifest, fitting, name=one.name)
    engines = [one.name for one in found if one.kind == "engine"]
    packs = [one.name for one in found if one.kind == "pack"]
    if len(engines) > 1:
        raise PackMissing(name=" ".join(engines), available=tuple(engines))
    return ({"engine": engines[0]} if engines else {}) | ({"engine_packs": " ".join(packs)} if packs else {})


def _variant(args: argparse.Namespace) -> None:
    settings = load_settings(paths.settings_file())
    report = _state(_choice(settings)).report
    able = [one.name for one in report.variants if one.score > 0]
    if args.variant is None:
        if args.json:
            print_json({"setting": settings.cpu_variant, "chosen": report.cpu_variant, "able": able})
        else:
            print(report.cpu_variant or word("value.fixed", args.language))
        return
    if args.variant not in (AUTO, SAFE, *able):
        raise SettingInvalid(name="cpu_variant", value=args.variant, expected=" | ".join((AUTO, SAFE, *able)))
    if not report.separate:
        note(word("done.one_variant", args.language))
    _keep({"cpu_variant": args.variant}, args.language)
    if args.json:
        _list(args)
    else:
        note(word("done.variant", args.language, name=args.variant))


def _check(args: argparse.Namespace) -> None:
    """Everything anew: hashes of all files, the cards, the processor's variants."""
    settings = load_settings(paths.settings_file())
    choice = _choice(settings)
    _require_whole()
    choice.forget()
    choice.try_cards()
    state = _state(choice)
    _keep({"engine_packs": settings.engine_packs}, args.language)
    if state.report.ending != "done" or state.report.unsound:
        raise EngineUnsound(reason=state.report.unsound or "no_device", detail=state.report.ending)
    if args.json:
        print_json(record(state))
        return
    print_facts(facts(state, args.language))
    note(word("done.check_issues" if choice.issues() else "done.checked", args.language))


def _require_whole() -> None:
    folders = [one.folder for one in PackStore(paths.data_folder()).installed()]
    folder = engine_folder()
    if folder is not None and (folder / "manifest.json").is_file():
        folders.insert(0, folder)
    for one in folders:
        manifest = read_folder_manifest(one)
        if broken := tuple(broken_files(one, manifest)):
            raise PackDamaged(name=name_of(manifest), files=broken)


def _choice(settings: Settings) -> EngineChoice:
    choice = EngineChoice(paths.data_folder())
    choice.apply(settings)
    return choice


def _state(choice: EngineChoice) -> EngineState:
    choice.try_cards()
    settings = load_settings(paths.settings_file())
    fitting = fitting_of(os.environ)
    added = PackStore(paths.data_folder()).installed()
    return EngineState(
        settings=settings,
        version=engine_version(),
        folder=engine_folder(),
        report=ask_engine(),
        added=tuple(added),
        unfitting=frozenset(one.folder for one in added if not fits(one.manifest, fitting)),
        issues=choice.issues(),
        own=own_variables(os.environ),
    )


def _keep(changes: dict[str, Any], language: Language) -> None:
    """Through the service, if it runs: it chooses anew, also when only the folders have changed."""
    client = find(language)
    if client is None:
        save_settings(paths.settings_file(), changes)
        return
    with client:
        client.update_settings(**changes)
