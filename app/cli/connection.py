"""How a command reaches the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app import paths
from app.client.launch import in_language, launch
from app.values import Language

if TYPE_CHECKING:
    from app.client.http import ServiceClient


def connect(language: Language, serve_options: Sequence[str] = ()) -> ServiceClient:
    """A client of this user's service, which is started (with these options of `serve`) if need be.

    Raises DataFolderUnusable, ServiceStartFailed.
    """
    folder = paths.prepare_data_folder()
    # While the service starts, this process loads its HTTP client: half a second of both, beside each other.
    started = launch(folder, in_language(language, serve_options)) if paths.read_runtime() is None else None
    from app.client.discover import connect_or_start

    return connect_or_start(folder, language, serve_options, started=started)


def find(language: Language) -> ServiceClient | None:
    """A client of this user's service if it runs; starts nothing."""
    if paths.read_runtime() is None:
        return None
    from app.client.discover import find_service

    return find_service(paths.data_folder(), language)
