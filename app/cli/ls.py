"""`liangli ls`: the models on this computer."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from app.cli.connection import connect
from app.cli.library_work import watch
from app.cli.screen import note, print_json, print_table
from app.values import Language, LocalModel
from app.words import describe, shown_bytes
from resources.wording import text

COLUMNS = (
    "cli.ls.model",
    "cli.ls.size",
    "cli.ls.quantization",
    "cli.ls.context",
    "library.ls.source",
    "cli.ls.licence",
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("ls", help=text("cli.ls.help", language))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))
    parser.add_argument("--duplicates", action="store_true", help=text("library.ls.duplicates", language))


def run(args: argparse.Namespace) -> int:
    with connect(args.language) as client:
        if args.duplicates:
            watch(client, client.compare_models(), args.language)
        models = client.models()
    if args.json:
        print_json([asdict(model) for model in models])
    elif not models:
        note(text("cli.ls.nothing", args.language))
    else:
        headers = [text(column, args.language) for column in (*COLUMNS, "cli.ls.path")]
        print_table(headers, [_row(model, args.language) for model in models])
        for remark in _remarks(models, args.language, asked_for_duplicates=args.duplicates):
            note(remark)
    return 0


def _row(model: LocalModel, language: Language) -> tuple[str, ...]:
    return (
        model.id,
        shown_bytes(model.size_bytes),
        model.quantization,
        f"{model.trained_context_tokens:,}",
        _source(model, language),
        model.licence or "-",
        model.path,
    )


def _source(model: LocalModel, language: Language) -> str:
    place = text(f"library.place.{model.place}", language)
    if not model.origin:
        return place
    return model.origin if model.place == "library" else f"{place}: {model.origin}"


def _remarks(models: Sequence[LocalModel], language: Language, *, asked_for_duplicates: bool) -> Iterator[str]:
    for model in models:
        if model.problem is not None:
            problem = describe(model.problem.code, model.problem.fields, language)
            yield text("cli.ls.unusable", language, model=model.id, problem=problem)
    same = _groups(models, {model.id: model.duplicates for model in models})
    for group, size_bytes in same:
        yield text("library.ls.same", language, models=group, size=shown_bytes(size_bytes))
    if asked_for_duplicates and not same:
        yield text("library.ls.no_duplicates", language)
    for group, _ in _groups(models, {model.id: model.maybe_duplicates for model in models}):
        yield text("library.ls.maybe_same", language, models=group)


def _groups(models: Sequence[LocalModel], others: dict[str, tuple[str, ...]]) -> list[tuple[str, int]]:
    """Each set of models that are like each other once, as text, and the bytes of one of them."""
    groups = {tuple(sorted((model.id, *others[model.id]))): model.size_bytes for model in models if others[model.id]}
    return [(", ".join(ids), size_bytes) for ids, size_bytes in groups.items()]
