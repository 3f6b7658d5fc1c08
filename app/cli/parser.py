"""The command line: its commands and options, with help and errors in the user's language."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, NoReturn

import app
from app.values import Language
from resources.wording import entry, text

_NAMES = (
    *("chat", "run", "serve", "status", "ps", "ls", "search", "show", "catalogue", "get", "pull", "import", "verify"),
    *("rm", "mv", "share", "plan", "probe", "engine", "check", "bench", "update", "stop"),
)


class _Commands(Mapping[str, Any]):
    """The commands in the order of the help; the module of one is imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        if name not in _NAMES:
            raise KeyError(name)
        # A command that Python has another use for is in a file with an underscore behind its name.
        return import_module(f"app.cli.{name}_" if iskeyword(name) else f"app.cli.{name}")

    def __contains__(self, name: object) -> bool:
        return name in _NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


COMMANDS = _Commands()


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


def build_parser(language: Language, only: str | None = None) -> argparse.ArgumentParser:
    """The parser; `command` is None when none is given. Every command's `run(args) -> int` is found in COMMANDS.

    only: the command that the line begins with; the others are not imported for it.
    """
    _translate_argparse(language)
    parser = _Parser(prog="liangli", description=text("cli.program.about", language))
    parser.add_argument(
        "--version", action="version", version=f"liangli {app.VERSION}", help=text("cli.program.version", language)
    )
    parser.add_argument("--lang", choices=("zh", "en"), help=text("cli.program.lang", language))
    parser.add_argument("--yes", action="store_true", help=text("cli.program.yes", language))
    parser.add_argument("--selftest", action="store_true", help=text("selftest.help", language))
    # Under names of their own: commands have a --json, too.
    parser.add_argument("--json", dest="selftest_json", action="store_true", help=text("selftest.json", language))
    parser.add_argument("--screenshot", metavar="FILE", type=Path, help=text("selftest.screenshot", language))
    parser.set_defaults(command=None)
    title = text("cli.program.commands", language)
    commands = parser.add_subparsers(
        dest="command", metavar=text("cli.program.command", language), title=title, parser_class=_Parser
    )
    for name in COMMANDS if only is None else (only,):
        COMMANDS[name].add_parser(commands, language)
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
