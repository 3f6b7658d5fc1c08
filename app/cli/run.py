"""`liangli run`: one prompt in, the answer on standard output."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from app.cli import piped_text
from app.cli.connection import connect
from app.cli.screen import AnswerWriter, note, print_json
from app.values import Language
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import CompletionChunk, ServiceClient

SAMPLING = ("temperature", "top_p", "top_k", "min_p", "seed", "max_tokens")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"cli.run.{name}", language)

    parser = subparsers.add_parser("run", help=say("help"), description=say("help"))
    parser.add_argument("prompt", nargs="*", help=say("prompt"))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", help=text("cli.chat.model", language))
    which.add_argument("--file", metavar="GGUF", help=say("file"))
    parser.add_argument("--system", help=text("cli.chat.system", language))
    for name in ("temperature", "top_p", "min_p"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="X", help=say(name))
    for name in ("top_k", "seed", "max_tokens", "ctx"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help=say(name))
    parser.add_argument("--json", action="store_true", help=say("json"))
    parser.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help=text("cli.program.yes", language))


def run(args: argparse.Namespace) -> int:
    """Answer once. Ctrl-C and a closed pipe stop the request in the engine, too."""
    written = piped_text.argument_text(" ".join(args.prompt))
    prompt = piped_text.joined(written, piped_text.read_piped_text())
    if not prompt:
        note(text("cli.program.error", args.language, message=text("cli.run.no_prompt", args.language)))
        return 2
    from app.cli.ready_model import ready_model

    with connect(args.language) as client:
        model = ready_model(client, args)
        answer = _answer(client, model.id, _messages(args.system, prompt), _parameters(args), quiet=args.json)
    if args.json:
        print_json({"model": model.id, **answer})
    return 0


def _messages(system: str | None, prompt: str) -> list[dict[str, Any]]:
    before = [{"role": "system", "content": piped_text.argument_text(system)}] if system else []
    return [*before, {"role": "user", "content": prompt}]


def _parameters(args: argparse.Namespace) -> dict[str, Any]:
    """What was given; the rest is left to the service, which knows the model's own defaults."""
    return {name: value for name in SAMPLING if (value := getattr(args, name)) is not None}


def _answer(
    client: ServiceClient, model: str, messages: list[dict[str, Any]], parameters: dict[str, Any], *, quiet: bool
) -> dict[str, Any]:
    """Stream the answer to the terminal (unless quiet) and return what `--json` prints."""
    writer = AnswerWriter()
    chunks: list[CompletionChunk] = []
    # Closing the stream, however this block is left, tells the service to stop the request.
    with contextlib.closing(client.chat_completion(model, messages, **parameters)) as stream:
        try:
            for chunk in stream:
                chunks.append(chunk)
                if not quiet:
                    writer.reasoning(chunk.reasoning)
                    writer.text(chunk.text)
        finally:
            writer.end()
    usage = next((chunk.usage for chunk in reversed(chunks) if chunk.usage), None)
    return {
        "text": "".join(chunk.text for chunk in chunks),
        "reasoning": "".join(chunk.reasoning for chunk in chunks),
        "finish_reason": next((chunk.finish_reason for chunk in reversed(chunks) if chunk.finish_reason), None),
        "usage": usage and {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens},
    }
