"""What the window knows of downloads: the queue as the service reports it, and the starter models that are fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from app.client.events import DownloadsReordered, Gap
from app.client.http import ServiceClient
from app.download_values import DownloadRemoved, DownloadState, DownloadStatus
from app.gui.session import RUNNING_FETCH, Session
from app.values import FetchState, FetchStatus

STARTER = "starter:"
ENDED: frozenset[DownloadState] = frozenset({"done", "failed"})
_STATES: dict[FetchState, DownloadState] = {
    "choosing_source": "choosing_source",
    "transferring": "transferring",
    "verifying": "verifying",
    "done": "done",
    "cancelled": "paused",
    "failed": "failed",
}


class DownloadWatch(QObject):
    """Lives in the Qt thread, is light, and follows the service by itself from the moment it is made.

    `downloads`: the queue in its order, then the starter models; their ids begin with STARTER, and nothing but
    cancelling and starting again can be done with them. `trouble`: why the last thing that was asked for was refused.
    """

    changed = Signal()
    trouble_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._queue: tuple[DownloadStatus, ...] = ()
        self._since: dict[str, datetime] = {}
        self._asking = False
        self._asked_again = False
        self.known = False
        self.trouble: Exception | None = None
        session.link.happened.connect(self._on_happening)
        session.link_changed.connect(self._on_link)
        session.fetches_changed.connect(self.changed)
        session.offers_changed.connect(self.changed)
        if session.online:
            self.refresh()

    @property
    def downloads(self) -> tuple[DownloadStatus, ...]:
        """Everything that is to be shown, in its order."""
        return (*self._queue, *map(self._as_download, self._session.fetches.values()))

    @property
    def running(self) -> int:
        """How many are on their way or wait for their turn."""
        return sum(one.state not in ("paused", "done", "failed") for one in self.downloads)

    def waiting_since(self, download_id: str) -> datetime | None:
        """Since when, by this computer's clock, a download waits for a source; None if it does not."""
        return self._since.get(download_id)

    def refresh(self) -> None:
        """The whole queue anew; asked for once at a time, however often it is called meanwhile."""
        if self._asking:
            self._asked_again = True
            return
        self._asking = True

        def done(downloads: list[DownloadStatus]) -> None:
            self._asking = False
            if self._asked_again:  # events came while it was on its way: it may be older than they are
                self._asked_again = False
                self.refresh()
                return
            self.known = True
            self._set(tuple(downloads))

        def failed(error: Exception) -> None:
            self._asking = self._asked_again = False

        self._session.link.ask(lambda client: client.downloads(), done, failed)

    def pause(self, download_id: str) -> None:
        self._do(lambda client: client.pause_download(download_id), self._note)

    def resume(self, download_id: str) -> None:
        """Let a paused or failed one go on."""
        if download_id.startswith(STARTER):
            self._session.fetch_starter(download_id.removeprefix(STARTER))
            return
        self._do(lambda client: client.resume_download(download_id), self._note)

    def cancel(self, download_id: str) -> None:
        """Take one out of the queue; what arrived of an unfinished one is deleted. Of a starter model it is kept."""
        if download_id.startswith(STARTER):
            self._session.cancel_fetch(download_id.removeprefix(STARTER))
            return
        self._do(lambda client: client.cancel_download(download_id), lambda _: self._remove(download_id))

    def move(self, download_id: str, before: str | None) -> None:
        """Put one before another, or at the end."""
        order = [one.id for one in self._queue if one.id != download_id]
        position = order.index(before) if before in order else len(order)
        order.insert(position, download_id)
        self._reorder(order)
        self._do(lambda client: client.move_download(download_id, position), lambda queue: self._set(tuple(queue)))

    def forget_trouble(self) -> None:
        """The user has read it."""
        self._note_trouble(None)

    def _do(self, work: Callable[[ServiceClient], object], done: Callable[..., None]) -> None:
        self._note_trouble(None)
        self._session.link.ask(work, done, self._failed)

    def _failed(self, error: Exception) -> None:
        self._note_trouble(error)
        self.refresh()

    def _note_trouble(self, error: Exception | None) -> None:
        if error is not self.trouble:
            self.trouble = error
            self.trouble_changed.emit()

    def _on_link(self) -> None:
        if self._session.online:
            self.refresh()

    def _on_happening(self, happening: object) -> None:
        match happening:
            case DownloadStatus():
                self._note(happening)
            case DownloadRemoved(id=download_id):
                self._remove(download_id)
            case DownloadsReordered(order=order):
                self._reorder(list(order))
            case Gap():
                self.refresh()
            case _:
                return
        self._asked_again = self._asking

    def _note(self, status: DownloadStatus) -> None:
        if any(one.id == status.id for one in self._queue):
            self._set(tuple(status if one.id == status.id else one for one in self._queue))
        else:
            self._set((*self._queue, status))

    def _remove(self, download_id: str) -> None:
        self._set(tuple(one for one in self._queue if one.id != download_id))

    def _reorder(self, order: list[str]) -> None:
        place = {download_id: number for number, download_id in enumerate(order)}
        self._set(tuple(sorted(self._queue, key=lambda one: place.get(one.id, len(place)))))

    def _set(self, queue: tuple[DownloadStatus, ...]) -> None:
        waiting = {one.id for one in queue if one.state == "waiting"}
        now = datetime.now()
        self._since = {download_id: self._since.get(download_id, now) for download_id in waiting}
        self._queue = queue
        self.changed.emit()

    def _as_download(self, fetch: FetchStatus) -> DownloadStatus:
        offer = next((one for one in self._session.offers if one.key == fetch.key), None)
        left = fetch.total_bytes - fetch.received_bytes
        moving = fetch.state == "transferring" and fetch.bytes_per_second > 0
        status = DownloadStatus(
            id=STARTER + fetch.key,
            model=fetch.key,
            name=offer.name if offer else fetch.key,
            quantization="",
            state=_STATES[fetch.state],
            received_bytes=fetch.received_bytes,
            total_bytes=fetch.total_bytes,
            source=fetch.source,
            error=fetch.error,
        )
        if fetch.state not in RUNNING_FETCH:
            return status
        speed = fetch.bytes_per_second
        return replace(status, bytes_per_second=speed, remaining_seconds=left / speed if moving else None)
