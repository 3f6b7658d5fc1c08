"""The command itself: its options, and which parts run in which order."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.screen import note, print_json
from app.values import Language
from resources.wording import text

if TYPE_CHECKING:
    from app.cli.bench.figures import Report
    from app.cli.bench.ground import Setting

# In this order; each is a module of app.cli.bench.parts.
PARTS = ("equal", "overhead", "streams", "busy", "start", "window", "service", "kills")
# These have nothing to say without a llama-server to compare with.
NEEDS_PEER = ("equal",)
_WRONG_USE = 2
_GOAL_MISSED = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    def say(name: str) -> str:
        return text(f"bench.command.{name}", language)

    about = "\n".join([say("about"), "", *(f"  {part:<10}{text(f'bench.part.{part}', language)}" for part in PARTS)])
    parser = subparsers.add_parser(
        "bench",
        help=say("help"),
        description=about,
        epilog=say("peer_recipe"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=say("parts"))
    parser.add_argument("--model", metavar="GGUF", type=Path, help=say("model"))
    parser.add_argument("--peer", metavar="LLAMA_SERVER", type=Path, help=say("peer"))
    parser.add_argument("--rounds", metavar="N", type=int, help=say("rounds"))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    """0 when every goal was met, 1 when one was missed or a part could not be measured, 2 for wrong use."""
    problem = _wrong_use(args)
    if problem:
        note(text("cli.program.error", args.language, message=problem))
        return _WRONG_USE
    # Imported here, not above: every command imports this module, and few measure.
    from app.cli.bench.ground import Setting
    from app.cli.bench.lines import report_lines
    from app.cli.bench.model import find_model

    setting = Setting(
        model_path=find_model(args.model),
        peer=args.peer and args.peer.resolve(),
        rounds=args.rounds,
        say=lambda line: note(f"… {line}"),
    )
    reports: list[Report] = []
    failures: dict[str, str] = {}
    for part in _wanted(args.parts, args.peer is not None, args.language):
        report = _measure(part, setting, failures, args.language)
        if report is None:
            continue
        reports.append(report)
        if not args.json:
            print("\n".join(report_lines(report, args.language)), flush=True)
    if args.json:
        from app.cli.bench.machine import machine

        print_json(
            {
                "machine": machine(setting.model_path),
                "reports": [report.as_json() for report in reports],
                "failures": failures,
            }
        )
    missed = any(figure.met is False for report in reports for figure in report.figures)
    return _GOAL_MISSED if missed or failures else 0


def _wrong_use(args: argparse.Namespace) -> str | None:
    """What is wrong with the command line, in words."""
    for part in args.parts:
        if part not in PARTS:
            return text("bench.command.no_such_part", args.language, part=part, parts=", ".join(PARTS))
        if part in NEEDS_PEER and args.peer is None:
            return text("bench.command.needs_peer", args.language, part=part)
    if args.peer is not None and not args.peer.is_file():
        return text("bench.command.no_such_file", args.language, path=args.peer)
    if args.rounds is not None and args.rounds < 1:
        return text("bench.command.rounds_positive", args.language)
    return None


def _wanted(asked: Sequence[str], has_peer: bool, language: Language) -> list[str]:
    if asked:
        return list(dict.fromkeys(asked))
    if not has_peer:
        note(text("bench.command.without_peer", language, parts=", ".join(NEEDS_PEER)))
    return [part for part in PARTS if has_peer or part not in NEEDS_PEER]


def _measure(part: str, setting: Setting, failures: dict[str, str], language: Language) -> Report | None:
    """One part's report. A part that breaks does not take the others with it; it is named at the end, not hidden."""
    try:
        report: Report = import_module(f"app.cli.bench.parts.{part}").measure(setting)
    except Exception as error:
        failures[part] = f"{type(error).__name__}: {error}"
        note(text("bench.command.failed", language, part=part, detail=failures[part]))
        return None
    return report
