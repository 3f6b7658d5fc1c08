"""From what the user named to a model that is on this computer and loaded."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app import paths
from app.cli.model_choice import choose_model
from app.cli.screen import note
from app.cli.starter import can_ask, offer_starter
from app.settings import load_settings
from app.values import EngineStatus, Language, LocalModel
from app.words import describe_changes
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import ServiceClient


def ready_model(client: ServiceClient, args: argparse.Namespace) -> LocalModel:
    """The model that `args.file`, `args.model` or nothing names, loaded with `args.ctx` tokens of context if given.

    Without any model on this computer the starter is offered. Raises ModelMissing, NoModelInstalled, RemoteError.
    """
    engines = client.status().engines
    model = _wanted_model(client, args, engines)
    if args.ctx is not None or not any(engine.model == model.id and engine.state == "ready" for engine in engines):
        _load(client, model, args.ctx, args.language)
    return model


def _wanted_model(client: ServiceClient, args: argparse.Namespace, engines: Sequence[EngineStatus]) -> LocalModel:
    if args.file:
        return client.import_model(str(Path(args.file).absolute()))
    models = client.models()
    if not models:
        offer_starter(client, args.language, ask=can_ask() and not args.yes)
        models = client.models()
    default = load_settings(paths.settings_file()).default_model
    return choose_model(models, engines, args.model, default)


def _load(client: ServiceClient, model: LocalModel, context_tokens: int | None, language: Language) -> None:
    with contextlib.ExitStack() as stack:
        if sys.stderr.isatty():
            from rich.console import Console

            line = text("cli.load.loading", language, model=model.name)
            stack.enter_context(Console(stderr=True, highlight=False, markup=False).status(line))
        engine = client.load_engine(model.id, context_tokens)
    if engine.changes:
        note(describe_changes(engine.changes, language))
