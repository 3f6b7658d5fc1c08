"""`liangli chat`: a conversation in the terminal, saved like every other."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli import piped_text
from app.cli.answer_text import AnswerText
from app.cli.connection import connect
from app.cli.screen import AnswerWriter, has_colours, note
from app.errors import AppError
from app.values import ChatMessage, Language, PlanChange
from app.words import describe, describe_changes, describe_error
from resources.wording import text

if TYPE_CHECKING:
    from app.cli.conversation import Conversation


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("chat", help=text("cli.chat.help", language))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", help=text("cli.chat.model", language))
    which.add_argument("--file", metavar="GGUF", help=text("cli.run.file", language))
    parser.add_argument("--system", default="", help=text("cli.chat.system", language))
    parser.add_argument("--ctx", type=int, metavar="N", help=text("cli.run.ctx", language))
    parser.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help=text("cli.program.yes", language))


def run(args: argparse.Namespace) -> int:
    """Talk until /exit or the end of input. Ctrl-C stops an answer, never the program."""
    from app.cli.conversation import Conversation
    from app.cli.ready_model import ready_model
    from app.cli.slash_commands import SlashCommands

    with connect(args.language) as client:
        model = ready_model(client, args)
        talk = Conversation(client, model.id, piped_text.argument_text(args.system))
        commands = SlashCommands(client, talk, args.language)
        note(text("cli.chat.welcome", args.language, model=model.name))
        with contextlib.closing(talk):
            for line in _lines():
                with _errors_said(args.language):
                    if not line.startswith("/"):
                        _show(talk, talk.send(line), args.language)
                        continue
                    outcome = commands.obey(line)
                    if outcome == "leave":
                        break
                    if isinstance(outcome, ChatMessage):
                        _show(talk, outcome, args.language)
    note(text("cli.chat.bye", args.language))
    return 0


def _lines() -> Iterator[str]:
    """What the user types, one message at a time; from a pipe, one message a line."""
    if sys.stdin is None or not sys.stdin.isatty():
        for raw in sys.stdin.buffer if sys.stdin is not None else ():
            if line := piped_text.decode(raw).strip():
                yield line
        return
    from app.cli.line_editor import LineEditor

    editor = LineEditor()
    while (typed := editor.read()) is not None:
        if typed.strip():
            yield typed.strip()


@contextlib.contextmanager
def _errors_said(language: Language) -> Iterator[None]:
    """An error ends the answer, not the conversation."""
    try:
        yield
    except AppError as error:
        note(text("cli.program.error", language, message=describe_error(error, language)))


def _show(talk: Conversation, answer: ChatMessage, language: Language) -> None:
    writer = AnswerWriter()
    shown = AnswerText()
    try:
        answer = _write(talk, answer, shown, writer, language)
    except KeyboardInterrupt:
        talk.stop(answer)
        answer = _write(talk, answer, shown, writer, language)
    finally:
        writer.end()
    _say_how_it_ended(answer, language)


def _write(
    talk: Conversation, answer: ChatMessage, shown: AnswerText, writer: AnswerWriter, language: Language
) -> ChatMessage:
    for piece in talk.follow(answer, shown):
        if isinstance(piece, ChatMessage):
            answer = piece
        elif isinstance(piece, PlanChange):
            note(describe_changes((piece,), language))
        else:
            writer.reasoning(piece.reasoning)
            writer.text(piece.text)
    return answer


def _say_how_it_ended(answer: ChatMessage, language: Language) -> None:
    if answer.error is not None:
        message = describe(answer.error.code, answer.error.fields, language)
        note(text("cli.program.error", language, message=message))
    elif answer.state in ("stopped", "length", "interrupted"):
        note(f"[{text(f'cli.chat.{answer.state}', language)}]")
    if answer.stats is not None and has_colours(sys.stderr):
        speed = text("cli.chat.speed", language, number=f"{answer.stats.tokens_per_second:.1f}")
        sys.stderr.write(f"\x1b[2m{speed}\x1b[0m\n")
