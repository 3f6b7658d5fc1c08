"""The command line: its commands and options, with help and errors in the user's language."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

import app
from app.cli import (
    bench,
    catalogue,
    chat,
    check,
    get,
    import_,
    ls,
    mv,
    plan,
    probe,
    ps,
    pull,
    rm,
    run,
    search,
    serve,
    share,
    show,
    status,
    stop,
    verify,
)
from app.values import Language
from resources.wording import entry, text

_MODULES = (
    *(chat, run, serve, status, ps, ls, search, show, catalogue, get, pull, import_, verify, rm, mv, share),
    *(plan, probe, check, bench, stop),
)
# A command that Python has another use for is in a file with an underscore behind its name.
COMMANDS = {module.__name__.rpartition(".")[2].rstrip("_"): module for module in _MODULES}


def take_language(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """Take `--lang zh|en` out of the arguments, wherever it stands before `--`; the last one counts.

    It decides the language of the parser itself, so it cannot be left to the parser. An unfinished or unknown one
    stays, for the parser to complain about.
    """
    rest: list[str] = []
    language: str | None = None
    position = 0
    while position < len(arguments) and arguments[position] != "--":
        name, equals, value = arguments[position].partition("=")
        following = arguments[position + 1] if position + 1 < len(arguments) else ""
        if name == "--lang" and (value if equals else following) in ("zh", "en"):
            language = value if equals else following
            position += 1 if equals else 2
            continue
        rest.append(arguments[position])
        position += 1
    return [*rest, *arguments[position:]], language


def build_parser(language: Language) -> argparse.ArgumentParser:
    """The parser; `command` is None when none is given. Every command's `run(args) -> int` is found in COMMANDS."""
    _translate_argparse(language)
    parser = _Parser(prog="liangli", description=text("cli.program.about", language))
    parser.add_argument(
        "--version", action="version", version=f"liangli {app.VERSION}", help=text("cli.program.version", language)
    )
    parser.add_argument("--lang", choices=("zh", "en"), help=text("cli.program.lang", language))
    parser.add_argument("--yes", action="store_true", help=text("cli.program.yes", language))
    parser.set_defaults(command=None)
    title = text("cli.program.commands", language)
    commands = parser.add_subparsers(
        dest="command", metavar=text("cli.program.command", language), title=title, parser_class=_Parser
    )
    for module in COMMANDS.values():
        module.add_parser(commands, language)
    return parser


class _Parser(argparse.ArgumentParser):
    """Ends with exit code 2 and one readable line, which comes last, below the usage."""

    def error(self, message: str) -> NoReturn:
        super().error(message.replace("\n", " "))


def _translate_argparse(language: Language) -> None:
    """argparse looks its sentences up through the name `_` of its own module, which is gettext's function."""
    table = {entry(f"cli.argparse.{name}")["en"]: entry(f"cli.argparse.{name}")[language] for name in ARGPARSE_TEXTS}
    setattr(argparse, "_", lambda message: table.get(message, message))  # noqa: B010


ARGPARSE_TEXTS = (
    "usage",
    "options",
    "positionals",
    "help",
    "error",
    "required",
    "unrecognized",
    "expected_one",
    "expected_at_least_one",
    "expected_at_most_one",
    "choice",
    "type",
    "exclusive",
    "ambiguous",
    "explicit",
    "argument",
)
