"""Downloading a newer version's file: checked, put where the user finds it, and left alone. Nothing here runs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from app.errors import DataFolderUnusable, ProgramUpdateNotOffered
from app.updates.values import Fetched, Fetching, Found
from models_catalog.download.model_download import download
from models_catalog.download.values import DownloadProgress, FileToFetch, ModelToFetch
from models_catalog.sources.byte_source import WholeFile
from models_catalog.transfer.patience import Patience


def fetch(
    found: Found,
    folder: Path,
    *,
    name: str = "",
    progress: Callable[[Fetching], None] = lambda _: None,
    cancelled: threading.Event | Callable[[], bool] = lambda: False,
    proxies: Mapping[str, str] | None = None,
    patience: Patience | None = None,
) -> Fetched:
    """The file in the folder, with the size and the hash of the signed index. Blocks, as `download` does.

    name: of one of the version's files; "" takes the best for this copy. What arrived before an end without one is
    kept, and the next call goes on from there. Raises ProgramUpdateNotOffered, leaves of FetchFailed, FetchCancelled.
    """
    wanted = found.file(name or found.best) if found.newer else None
    if wanted is None:
        available = tuple(one.name for one in found.files if one.runs_here)
        raise ProgramUpdateNotOffered(version=found.version, wanted=name, available=available)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise DataFolderUnusable(path=str(folder), reason=error.strerror or str(error)) from error
    source = WholeFile(name=urlsplit(wanted.url).hostname or wanted.url, url=wanted.url)
    file = FileToFetch(place=(wanted.name,), sources=(source,), size_bytes=wanted.size_bytes, sha256=wanted.sha256)

    def tell(done: DownloadProgress) -> None:
        progress(
            Fetching(
                received_bytes=done.received_bytes,
                total_bytes=wanted.size_bytes,
                bytes_per_second=done.bytes_per_second,
            )
        )

    (path,) = download(
        ModelToFetch(name=wanted.name, files=(file,)),
        folder,
        progress=tell,
        cancelled=cancelled,
        proxies=proxies,
        patience=patience,
    )
    return Fetched(path=str(path), kind=wanted.kind, sha256=wanted.sha256, version=found.version)
