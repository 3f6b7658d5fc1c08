"""A starter model downloaded as the queue downloads any model: the same sources, speed limit, proxies and record."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.service.downloads.queue import Download
from app.settings import Settings
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.starter import Starter

if TYPE_CHECKING:
    from models_catalog.download.values import DownloadProgress


class StarterDownload:
    """See `fetches.Fetch`."""

    def __init__(self, download: Download, settings: Callable[[], Settings]) -> None:
        self._download, self._settings = download, settings

    def __call__(
        self,
        starter: Starter,
        models_folder: Path,
        *,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> Path:
        # Imported when it is needed: its HTTP client is memory that an idle service can do without.
        from models_catalog.download.starter_model import starter_model
        from models_catalog.sources.addresses import Addresses

        settings = self._settings()
        (path,) = self._download(
            starter_model(starter, Addresses.from_environment(os.environ)),
            models_folder,
            progress=progress,
            cancelled=cancelled,
            cap=SpeedCap(settings.download_bytes_per_second),
            proxies=settings.download_proxies,
        )
        return path
