"""The entry point of every face and of the service: reads the command line, runs the command, says errors in words."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from app import logs, paths, words
from app.cli.parser import COMMANDS, build_parser, take_language
from app.cli.screen import note
from app.errors import AppError
from app.opening import absolute, read_opening, take_openings
from app.settings import Settings, load_settings
from app.values import Language
from resources.wording import text

INTERRUPTED = 130
CLOSED_PIPE = 141
NO_WINDOW = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `liangli ARGUMENTS` and return its exit code: 0, the error's own (1-119), 2 for a wrong command line, 130
    after Ctrl-C, 141 when the reader of standard output went away.
    """
    _survive_odd_encodings()
    rest, chosen = take_language(sys.argv[1:] if arguments is None else arguments)
    language = words.language_for(chosen or _settings().language, os.environ)
    try:
        if openings := take_openings(rest, tuple(COMMANDS)):
            return _open_window(language, openings)
        parser = build_parser(language, rest[0] if rest[:1] and rest[0] in COMMANDS else None)
        args = parser.parse_args(rest)
        args.language = language
        code = _test_itself(args, parser) if args.selftest or args.selftest_json or args.screenshot else _dispatch(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python would complain once more when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return _say_error(error, language)


def _dispatch(args: argparse.Namespace) -> int:
    if args.command is None:
        return _open_window(args.language, (), args)
    if args.command == "serve" and args.no_daemon:
        from app.service.run import serve

        return serve(paths.data_folder(), port=args.port, token=args.token)
    return int(COMMANDS[args.command].run(args))


def _test_itself(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if not args.selftest:
        parser.error(text("selftest.only_with", args.language))
    if args.command is not None:
        parser.error(text("cli.argparse.exclusive", args.language) % "--selftest")
    from app.selftest.command import run

    return run(args.language, as_json=args.selftest_json, screenshot=args.screenshot)


def _open_window(language: Language, openings: Sequence[str], chat: argparse.Namespace | None = None) -> int:
    """The window, with files or addresses opened in it. Where there can be none, a line that says so, and where chat's
    arguments are given, the chat in the terminal.
    """
    from app.cli.display import display_answers

    if not display_answers(os.environ):
        return _without_window("cli.program.no_display", language, chat)
    for opening in openings:
        read_opening(opening)  # a mistake is said where it was made
    try:
        from app.gui.application import run_gui
    except ImportError as error:  # a system library of Qt is missing
        return _without_window("cli.program.no_window", language, chat, detail=error)
    return run_gui(paths.data_folder(), language, [absolute(opening, Path.cwd()) for opening in openings])


def _without_window(key: str, language: Language, chat: argparse.Namespace | None, **fields: object) -> int:
    if chat is None:
        note(text("cli.program.no_display_to_open", language))
        return NO_WINDOW
    note(text(key, language, **fields))
    return _chat_instead(chat)


def _chat_instead(args: argparse.Namespace) -> int:
    chat = build_parser(args.language).parse_args(["chat"])
    chat.language, chat.yes = args.language, args.yes
    return int(COMMANDS["chat"].run(chat))


def _settings() -> Settings:
    try:
        return load_settings(paths.settings_file())
    except AppError:  # a spoilt file is complained about by those who need more from it than the language
        return Settings()


def _say_error(error: Exception, language: Language) -> int:
    code = words.error_body(error).code
    note(text("cli.program.error", language, message=words.describe_error(error, language)))
    if logs.debugging():
        traceback.print_exception(error)
    return words.exit_code(code)


def _survive_odd_encodings() -> None:
    """A terminal that cannot show a character gets a question mark, not a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
