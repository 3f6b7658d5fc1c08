"""A download whose files the library knows afterwards: what they should be, so that a check can tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from app.service.downloads.product import product_download
from models_catalog.library.library import ModelLibrary

if TYPE_CHECKING:
    from models_catalog.download.speed_cap import SpeedCap
    from models_catalog.download.values import DownloadProgress, ModelToFetch


class RememberedDownload:
    """See `queue.Download`; raises LibraryFolderGone, too, instead of filling the place of an unplugged disk."""

    def __init__(self, library: ModelLibrary) -> None:
        self._library = library

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
        self._library.check_folder()
        paths = product_download(model, models_folder, progress=progress, cancelled=cancelled, cap=cap, proxies=proxies)
        listed = {models_folder.joinpath(*file.place): file.sha256 for file in model.files if file.sha256}
        self._library.remember({path: sha256 for path, sha256 in listed.items() if path in paths})
        return paths
