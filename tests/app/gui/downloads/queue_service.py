"""A service with a queue of downloads, in the test's own process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.download_values import DownloadRemoved, DownloadState, DownloadStatus
from app.errors import RemoteError
from app.values import ErrorBody
from tests.app.gui.fake_service import FakeService


def download(number: int, state: DownloadState = "queued", **fields: Any) -> DownloadStatus:
    """The download "dN" of Qwen3-8B, half of it here unless it only waits."""
    known: dict[str, Any] = {
        "id": f"d{number}",
        "model": "Qwen/Qwen3-8B-GGUF:Q4_K_M",
        "name": f"Qwen3-{number}B",
        "quantization": "Q4_K_M",
        "state": state,
        "received_bytes": 0 if state in ("queued", "resolving", "choosing_source") else 2_500_000_000,
        "total_bytes": 5_000_000_000,
        "files": (f"Qwen/Qwen3-{number}B-GGUF/Qwen3-{number}B-Q4_K_M.gguf",),
    }
    return DownloadStatus(**known | fields)


TRANSFERRING = download(
    1,
    "transferring",
    bytes_per_second=12_400_000.0,
    remaining_seconds=201.6,
    source="ModelScope",
    connections=4,
)
FAILED = download(
    4, "failed", error=ErrorBody(code="RemoteUnreachable", fields={"address": "Qwen/Qwen3-4B-GGUF", "detail": ""})
)


class QueueService(FakeService):
    """Does at once what it is asked, and reports it by events as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[DownloadStatus] = []
        self.kept_settings: dict[str, Any] = {}
        self.setting_refusal: RemoteError | None = None

    def settings(self) -> dict[str, Any]:
        return super().settings() | self.kept_settings

    def update_settings(self, **changes: Any) -> dict[str, Any]:
        if self.setting_refusal is not None:
            raise self.setting_refusal
        self.kept_settings |= changes
        self.send_event("settings", {})
        return super().update_settings(**changes)

    def downloads(self) -> list[DownloadStatus]:
        return list(self.queue)

    def show(self, status: DownloadStatus) -> None:
        """A download is new, or a little further."""
        known = [one.id for one in self.queue]
        if status.id in known:
            self.queue[known.index(status.id)] = status
        else:
            self.queue.append(status)
        self.send_event("download", status)

    def pause_download(self, download_id: str) -> DownloadStatus:
        return self._change("pause", download_id, "paused")

    def resume_download(self, download_id: str) -> DownloadStatus:
        return self._change("resume", download_id, "queued")

    def cancel_download(self, download_id: str) -> None:
        self._note("cancel_download", download_id)
        self.queue = [one for one in self.queue if one.id != download_id]
        self.send_event("download_removed", DownloadRemoved(id=download_id))

    def move_download(self, download_id: str, position: int) -> list[DownloadStatus]:
        self._note("move", (download_id, position))
        moved = next(one for one in self.queue if one.id == download_id)
        self.queue.remove(moved)
        self.queue.insert(position, moved)
        self.send_event("downloads", {"order": [one.id for one in self.queue]})
        return list(self.queue)

    def _change(self, what: str, download_id: str, state: DownloadState) -> DownloadStatus:
        self._note(what, download_id)
        status = replace(next(one for one in self.queue if one.id == download_id), state=state, error=None)
        self.show(status)
        return status
