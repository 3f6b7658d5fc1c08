"""`liangli import`: adds a model file, or all models of a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.connection import connect
from app.cli.library_work import watch
from app.cli.screen import note
from app.cli.template_report import say_of
from app.errors import RemoteError
from app.values import Language, LocalModel
from app.words import describe
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import ServiceClient

# A list of hashes that comes with a folder, as in a kit for computers without a network.
HASHES = "SHA256SUMS"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("import", help=text("library.import.help", language))
    parser.add_argument("path", metavar="PATH", help=text("library.import.path", language))
    parser.add_argument("--copy", action="store_true", help=text("library.import.copy", language))


def run(args: argparse.Namespace) -> int:
    """Of a folder the good models are added; the exit code tells of others only when none was good."""
    language: Language = args.language
    path = Path(args.path).expanduser().absolute()
    with connect(language) as client:
        if path.is_dir():
            models = _add_folder(client, path, language)
            if args.copy:
                for model in models:
                    _copy(client, Path(model.path), language)
                    _take_off_the_list(client, model)
                return 0
        elif args.copy:
            _copy(client, path, language)
            return 0
        else:
            models = (client.import_model(str(path)),)
        for model in models:
            note(text("library.import.added", language, model=model.id, path=model.path))
            say_of(client, model.id, language)
    return 0


def _add_folder(client: ServiceClient, folder: Path, language: Language) -> tuple[LocalModel, ...]:
    if (hashes := next((one for one in (folder / HASHES, folder.parent / HASHES) if one.is_file()), None)) is not None:
        note(text("library.import.checking", language, list=hashes))
    report = client.import_folder(str(folder))
    for error in report.refused:
        note(text("library.import.refused", language, problem=describe(error.code, error.fields, language)))
    if not report.models:
        raise RemoteError(code=report.refused[0].code, fields=report.refused[0].fields, http_status=422)
    return report.models


def _copy(client: ServiceClient, path: Path, language: Language) -> None:
    work = watch(client, client.copy_model(str(path)), language)
    note(text("library.import.copied", language, model=work.model))
    say_of(client, work.model, language)


def _take_off_the_list(client: ServiceClient, added: LocalModel) -> None:
    """The copy stands for it now. By its path: ids may have changed with the copy's coming."""
    for model in client.models():
        if (model.path, model.place) == (added.path, "added"):
            client.remove_model(model.id)
