"""The app's command line as plain values, read from its parser in either language."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installers.places import ROOT

# Values whose names say that they are files, in the English parser.
_FILES = frozenset({"FILE", "GGUF", "PATH", "FOLDER"})
_FILE_NAMES = frozenset({"file", "files", "path", "folder", "screenshot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """flags: all its spellings. value: name of what follows, "" for nothing. repeated: may be given several times."""

    flags: tuple[str, ...]
    value: str
    about: str
    choices: tuple[str, ...]
    is_file: bool
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """What is given by its place."""

    name: str
    about: str
    choices: tuple[str, ...]
    is_file: bool
    optional: bool
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """path: the words that name it, () for the program itself. short: its line in a list. about: may have several."""

    path: tuple[str, ...]
    short: str
    about: str
    options: tuple[Option, ...]
    operands: tuple[Operand, ...]
    commands: tuple[Command, ...]

    def walk(self) -> Iterator[Command]:
        """This one and all below it."""
        yield self
        for command in self.commands:
            yield from command.walk()


def read_command_line(language: str) -> Command:
    """The whole command line of the checkout. Needs the packages that the app's commands import."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from app.cli.parser import build_parser

    return command_of(build_parser("zh" if language == "zh" else "en"), ())


def command_of(parser: argparse.ArgumentParser, path: tuple[str, ...], short: str = "") -> Command:
    """From a parser, with its subparsers."""
    formatter = argparse.HelpFormatter(prog=" ".join(("liangli", *path)))
    options, operands, commands = [], [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            abouts = {choice.dest: formatter._expand_help(choice) for choice in action._choices_actions if choice.help}
            commands += [command_of(sub, (*path, name), abouts.get(name, "")) for name, sub in _unique(action.choices)]
        elif action.help is argparse.SUPPRESS:
            continue
        elif action.option_strings:
            options.append(_option(action, _about(formatter, action)))
        else:
            operands.append(_operand(action, _about(formatter, action)))
    return Command(
        path=path,
        short=short or parser.description or "",
        about=parser.description or short,
        options=tuple(options),
        operands=tuple(operands),
        commands=tuple(commands),
    )


def _unique(choices: Any) -> Iterable[tuple[str, argparse.ArgumentParser]]:
    return choices.items() if choices else ()


def _about(formatter: argparse.HelpFormatter, action: argparse.Action) -> str:
    return " ".join(formatter._expand_help(action).split()) if action.help else ""


def _option(action: argparse.Action, about: str) -> Option:
    takes_value = action.nargs != 0
    return Option(
        flags=tuple(action.option_strings),
        value=_value_name(action) if takes_value else "",
        about=about,
        choices=_choices(action),
        is_file=takes_value and _is_file(action),
        repeated=isinstance(action, argparse._AppendAction),
    )


def _operand(action: argparse.Action, about: str) -> Operand:
    return Operand(
        name=_value_name(action) if action.metavar else action.dest,
        about=about,
        choices=_choices(action),
        is_file=_is_file(action),
        optional=action.nargs in ("?", "*"),
        repeated=action.nargs in ("*", "+"),
    )


def _value_name(action: argparse.Action) -> str:
    name = action.metavar or action.dest.upper()
    return name if isinstance(name, str) else " ".join(name)


def _choices(action: argparse.Action) -> tuple[str, ...]:
    return tuple(str(choice) for choice in action.choices or ())


def _is_file(action: argparse.Action) -> bool:
    return action.type is Path or action.metavar in _FILES or action.dest in _FILE_NAMES
