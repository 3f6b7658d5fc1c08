"""Models on their way to this computer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.client.requests import LOAD_SECONDS, Requests
from app.values import FetchStatus, StarterOffer

# Imported where they are used: a command that asks for none of them does not make these classes.
if TYPE_CHECKING:
    from app.download_values import DownloadStatus


class DownloadsClient(Requests):
    """The queue of downloads, and the starter models."""

    def starter_offers(self) -> list[StarterOffer]:
        return self._ask("GET", "/starter", list[StarterOffer])

    def fetch_starter(self, key: str) -> FetchStatus:
        """Begin a download; it goes on by itself and is reported by "fetch" events."""
        return self._ask("POST", "/starter/fetch", FetchStatus, json={"key": key})

    def cancel_fetch(self, key: str) -> None:
        self._send("POST", "/starter/cancel", json={"key": key})

    def fetches(self) -> list[FetchStatus]:
        return self._ask("GET", "/starter/fetch", list[FetchStatus])

    def downloads(self) -> list[DownloadStatus]:
        """The queue in its order, and what ended since the service started."""
        from app.download_values import DownloadStatus

        return self._ask("GET", "/downloads", list[DownloadStatus])

    def add_download(
        self, model: str, sources: Sequence[str] = (), endpoints: Mapping[str, str] | None = None
    ) -> DownloadStatus:
        """Put a model in the queue, or let it go on; it is reported by "download" events.

        endpoints: HF_ENDPOINT, HF_TOKEN and MODELSCOPE_ENDPOINT of this process, which the service's may lack.
        """
        from app.download_values import DownloadStatus

        body = {"model": model, "sources": list(sources), "endpoints": dict(endpoints or {})}
        return self._ask("POST", "/downloads", DownloadStatus, json=body, timeout_seconds=LOAD_SECONDS)

    def pause_download(self, download_id: str) -> DownloadStatus:
        from app.download_values import DownloadStatus

        return self._ask("POST", f"/downloads/{download_id}/pause", DownloadStatus)

    def resume_download(self, download_id: str) -> DownloadStatus:
        from app.download_values import DownloadStatus

        return self._ask("POST", f"/downloads/{download_id}/resume", DownloadStatus)

    def cancel_download(self, download_id: str) -> None:
        """Take a download out of the queue; what arrived of an unfinished one is deleted."""
        self._send("POST", f"/downloads/{download_id}/cancel")

    def move_download(self, download_id: str, position: int) -> list[DownloadStatus]:
        """Give a download another place in the queue, 0 the first; returns the queue."""
        from app.download_values import DownloadStatus

        return self._ask("POST", f"/downloads/{download_id}/order", list[DownloadStatus], json={"position": position})
