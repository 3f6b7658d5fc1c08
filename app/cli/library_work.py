"""Long work on model files, watched at the terminal until it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.errors import RemoteError
from app.values import Language, LibraryWork
from models_catalog.errors import LibraryWorkCancelled
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import ServiceClient

POLL_SECONDS = 0.1


def watch(client: ServiceClient, work: LibraryWork, language: Language) -> LibraryWork:
    """Show the progress on standard error; returns the work when it is done. Ctrl-C cancels it.

    Raises LibraryWorkCancelled when somebody else cancelled it, and RemoteError with what went wrong.
    """
    try:
        work = _watch(client, work, language)
    except KeyboardInterrupt:
        client.cancel_library_work(work.key)
        raise
    if work.error is not None:
        raise RemoteError(code=work.error.code, fields=work.error.fields, http_status=500)
    if work.state == "cancelled":
        raise LibraryWorkCancelled()
    return work


def _watch(client: ServiceClient, work: LibraryWork, language: Language) -> LibraryWork:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text(f"library.work.{work.kind}", language), total=None)
        while work.state == "running":
            progress.update(task, completed=work.done_bytes, total=work.total_bytes or None)
            time.sleep(POLL_SECONDS)
            work = next((one for one in client.library_works() if one.key == work.key), work)
    return work
