"""A download that other computers of the local network may contribute to, where the user named some."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from app.service.downloads.queue import Download

if TYPE_CHECKING:
    from models_catalog.download.speed_cap import SpeedCap
    from models_catalog.download.values import DownloadProgress, ModelToFetch


class DownloadFromPeers:
    """See `queue.Download`. peers: codes by address, as they are now; they are reached without any proxy."""

    def __init__(self, download: Download, peers: Callable[[], Mapping[str, str]]) -> None:
        self._download, self._peers = download, peers

    def __call__(
        self,
        model: ModelToFetch,
        models_folder: Path,
        *,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
        cap: SpeedCap,
        proxies: Mapping[str, str],
    ) -> tuple[Path, ...]:
        if peers := self._peers():
            # Imported when it is needed: its HTTP client is memory that an idle service can do without.
            from models_catalog.lan.asking import with_peers

            known = {source.name for file in model.files for source in file.sources}
            model = with_peers(model, peers)
            found = {source.name for file in model.files for source in file.sources} - known
            proxies = {**proxies, **dict.fromkeys(found, "none")}
        return self._download(model, models_folder, progress=progress, cancelled=cancelled, cap=cap, proxies=proxies)
