"""`liangli pull`: downloads any model, after a word on whether this computer can run it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import starter
from app.cli.connection import connect
from app.cli.screen import note
from app.cli.template_report import say_of
from app.errors import NoModelInstalled, RemoteError
from app.values import Language
from app.words import describe_error, shown_bytes
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import ServiceClient
    from app.download_values import DownloadStatus
    from app.plan_values import Plans

SOURCES = ("modelscope", "huggingface", "hf-mirror")
ENDPOINTS = ("HF_ENDPOINT", "HF_TOKEN", "MODELSCOPE_ENDPOINT", "MODELSCOPE_API_TOKEN")
POLL_SECONDS = 0.25
_STOPPED_EXIT_CODE = 1
# What makes a plan impossible without saying anything about the download; all else says that there is no such model.
_NOT_PLANNED = frozenset({"ArchitectureUnknown", "ModelRefused", "PlanFailed", "NotChatModel", "TemplateRefused"})

_NOT_REACHED = frozenset({"RemoteUnreachable", "RemoteClosed", "RemoteGated", "AddressNotUnderstood"})


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("pull", help=text("cli.pull.help", language))
    parser.add_argument("model", metavar=text("cli.pull.model", language), help=text("cli.pull.model_help", language))
    parser.add_argument(
        "--source", action="append", choices=SOURCES, default=[], help=text("cli.pull.source", language)
    )
    parser.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help=text("cli.program.yes", language))


def run(args: argparse.Namespace) -> int:
    """0 only when the whole model is in its place and verified."""
    with connect(args.language) as client:
        offer = next((one for one in client.starter_offers() if one.key == args.model), None)
        if offer is not None:
            starter.fetch(client, offer, args.language)
            return 0
        endpoints = {name: os.environ[name] for name in ENDPOINTS if os.environ.get(name)}
        wanted = _planned(client, args, own_hubs=bool(endpoints))
        status = client.add_download(wanted, args.source, endpoints)
        try:
            return _watch(client, status, args.language)
        except KeyboardInterrupt:
            client.pause_download(status.id)
            note(text("cli.pull.paused", args.language))
            raise


def _planned(client: ServiceClient, args: argparse.Namespace, *, own_hubs: bool) -> str:
    """What to download, after its verdict is shown; raises NoModelInstalled when the user then wants it no more.

    own_hubs: whoever asks reaches hubs in another way than the service may, so that what it cannot see is no end.
    """
    from app import plan_words
    from app.plan_values import PlanWish

    language = args.language
    note(text("cli.pull.looking", language, model=args.model))
    try:
        plans = client.plans(args.model, PlanWish(), advice=False)
    except RemoteError as error:
        if error.code not in _NOT_PLANNED and not (own_hubs and error.code in _NOT_REACHED):
            raise
        note(text("cli.pull.no_verdict", language, reason=describe_error(error, language)))
        return str(args.model)
    index = plans.best if plans.best is not None else 0
    if plans.listing_age_seconds is not None:
        note(plan_words.listing_age(plans.listing_age_seconds, language))
    note(_verdict(plans, index, language))
    plan = plans.quantizations[index].plan
    if (plan is None or plan.verdict == "does_not_fit") and starter.can_ask() and not args.yes:
        sys.stderr.write(text("cli.pull.anyway", language))
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
            raise NoModelInstalled()
    several = len(plans.quantizations) > 1 and ":" not in args.model.removeprefix("https:").removeprefix("http:")
    return f"{args.model}:{plans.quantizations[index].name}" if several else str(args.model)


def _verdict(plans: Plans, index: int, language: Language) -> str:
    """The verdict of one quantization in one line."""
    from app import plan_words

    chosen = plans.quantizations[index]
    if chosen.plan is None:
        error = chosen.error
        reason = "" if error is None else describe_error(RemoteError(error.code, error.fields, 500), language)
        return text("cli.pull.no_verdict", language, reason=reason)
    return text(
        "cli.pull.verdict",
        language,
        name=f"{chosen.plan.model} {chosen.name}",
        size=shown_bytes(chosen.size_bytes),
        verdict=plan_words.verdict(chosen.plan, language),
        speed=plan_words.rate(chosen.plan.speed.decode, language),
    )


def _watch(client: ServiceClient, status: DownloadStatus, language: Language) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[remaining]}", markup=False),
        TextColumn("{task.fields[source]}", markup=False),
    )
    known: DownloadStatus | None = status
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, remaining="", source="")
        while known is not None and known.state not in ("done", "paused", "failed"):
            status = known
            done = status.checked_bytes if status.state == "verifying" else status.received_bytes
            progress.update(
                task,
                description=text(f"cli.pull.{'outside_hours' if status.outside_hours else status.state}", language),
                completed=done,
                total=status.total_bytes or None,
                remaining=_clock(status.remaining_seconds),
                source=_source(status, language),
            )
            time.sleep(POLL_SECONDS)
            known = next((one for one in client.downloads() if one.id == status.id), None)
    if known is not None and known.error is not None:
        raise RemoteError(code=known.error.code, fields=known.error.fields, http_status=502)
    if known is None or known.state != "done":
        note(text("cli.pull.gone" if known is None else "cli.pull.paused", language))
        return _STOPPED_EXIT_CODE
    note(text("cli.pull.done", language, files=("、" if language == "zh" else ", ").join(known.files)))
    for model in client.models():
        if known.files and Path(model.path).as_posix().endswith(f"/{known.files[0]}"):
            say_of(client, model.id, language)
    return 0


def _source(status: DownloadStatus, language: Language) -> str:
    if not status.source:
        return ""
    return text("cli.pull.from_source", language, source=status.source, connections=status.connections)


def _clock(seconds: float | None) -> str:
    """ "0:01:05", the same in every language."""
    if seconds is None:
        return "-:--:--"
    minutes, second = divmod(round(min(seconds, 359_999)), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"
