"""Getting the first model: the offer, the choice and the download with its progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.cli.screen import note
from app.errors import NoModelInstalled, RemoteError
from app.values import FetchStatus, Language, StarterOffer
from app.words import shown_bytes
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import ServiceClient

POLL_SECONDS = 0.25


def offer_starter(client: ServiceClient, language: Language, *, ask: bool) -> None:
    """Let the user choose a starter model and fetch it; without `ask` the smallest one is fetched at once.

    Raises NoModelInstalled when the user wants none, RemoteError when the download fails.
    """
    offers = client.starter_offers()
    if ask:
        note(text("cli.get.offer", language))
    fetch(client, choose_offer(offers, language) if ask else smallest(offers), language)


def smallest(offers: Sequence[StarterOffer]) -> StarterOffer:
    """The offer that runs anywhere: what is fetched when nobody can be asked."""
    return min(offers, key=lambda offer: offer.size_bytes)


def can_ask() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def choose_offer(offers: Sequence[StarterOffer], language: Language) -> StarterOffer:
    """Ask at the terminal. Raises NoModelInstalled when the answer is no."""
    default = next((number for number, offer in enumerate(offers, 1) if offer.recommended), 1)
    for number, offer in enumerate(offers, 1):
        note(_row(number, offer, language))
    while True:
        sys.stderr.write(text("cli.get.question", language, default=default))
        sys.stderr.flush()
        line = sys.stdin.readline()
        answer = line.strip().lower() or (str(default) if line else "n")
        if answer in ("n", "no", "q", "不"):
            raise NoModelInstalled()
        if answer.isdecimal() and 1 <= int(answer) <= len(offers):
            return offers[int(answer) - 1]


def _row(number: int, offer: StarterOffer, language: Language) -> str:
    remark = (
        "installed"
        if offer.installed
        else "too_large"
        if not offer.fits
        else "recommended"
        if offer.recommended
        else ""
    )
    return text(
        "cli.get.row",
        language,
        number=number,
        name=offer.name,
        size=shown_bytes(offer.size_bytes),
        memory=shown_bytes(offer.needed_memory_bytes),
        licence=offer.licence,
        remark=text(f"cli.get.{remark}", language) if remark else "",
    )


def fetch(client: ServiceClient, offer: StarterOffer, language: Language) -> None:
    """Fetch a model and show the progress on standard error. Ctrl-C stops the download and keeps what arrived."""
    if offer.installed:
        note(text("cli.get.already", language, name=offer.name))
        return
    note(text("cli.get.fetching", language, name=offer.name, size=shown_bytes(offer.size_bytes)))
    status = client.fetch_starter(offer.key)
    try:
        _watch(client, status, language)
    except KeyboardInterrupt:
        client.cancel_fetch(offer.key)
        raise
    note(text("cli.get.done", language, name=offer.name))


def _watch(client: ServiceClient, status: FetchStatus, language: Language) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[source]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=status.total_bytes or None, source="")
        while status.state not in ("done", "cancelled", "failed"):
            progress.update(
                task,
                description=text(f"cli.get.{status.state}", language),
                completed=status.received_bytes,
                total=status.total_bytes or None,
                source=text("cli.get.from_source", language, source=status.source) if status.source else "",
            )
            time.sleep(POLL_SECONDS)
            status = next((one for one in client.fetches() if one.key == status.key), status)
    if status.error is not None:
        raise RemoteError(code=status.error.code, fields=status.error.fields, http_status=502)
    if status.state != "done":
        raise NoModelInstalled()
