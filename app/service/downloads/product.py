"""The real finder and download, imported when they are needed: an idle service can do without their memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models_catalog.download.resolve import Candidate
    from models_catalog.download.speed_cap import SpeedCap
    from models_catalog.download.values import DownloadProgress, ModelToFetch


class ProductFind:
    """See `queue.Find`. families_folder: the user's own entries of the catalogue; listings_folder: of the hubs."""

    def __init__(self, families_folder: Path, listings_folder: Path | None = None) -> None:
        self._families_folder, self._listings_folder = families_folder, listings_folder

    async def __call__(self, text: str, sources: Sequence[str], endpoints: Mapping[str, str]) -> tuple[Candidate, ...]:
        from models_catalog.download.resolve import DownloadFinder
        from models_catalog.sources.addresses import Addresses

        addresses = Addresses.from_environment({**os.environ, **endpoints})
        finder = DownloadFinder(
            families_folder=self._families_folder, listings_folder=self._listings_folder, addresses=addresses
        )
        return await finder.find(text, sources)


def product_download(
    model: ModelToFetch,
    models_folder: Path,
    *,
    progress: Callable[[DownloadProgress], None],
    cancelled: threading.Event,
    cap: SpeedCap,
    proxies: Mapping[str, str],
) -> tuple[Path, ...]:
    """See `queue.Download`."""
    from models_catalog.download.model_download import download

    return download(model, models_folder, progress=progress, cancelled=cancelled, cap=cap, proxies=proxies)


def product_discard(model: ModelToFetch, models_folder: Path) -> None:
    """See `queue.Downloads`."""
    from models_catalog.download.model_download import discard

    discard(model, models_folder)
