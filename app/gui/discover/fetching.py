"""Downloads of the models that the page shows: how far they are, and what the user can do with them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.client.events import Gap
from app.download_values import DownloadRemoved, DownloadStatus
from app.gui.session import Session

_ENDED = frozenset({"done", "failed"})


def target_of(name: str) -> str:
    """What a download was named after, without its quantization or file: "qwen3-8b:Q4_K_M" is one of qwen3-8b."""
    model, colon, rest = name.rpartition(":")
    return model if colon and "/" not in rest else name


class Fetching(QObject):
    """Lives in the Qt thread. `changed` names the target whose download is another, "" for all."""

    changed = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._statuses: dict[str, DownloadStatus] = {}
        self._asked: set[str] = set()
        self.troubles: dict[str, Exception] = {}
        session.link.happened.connect(self._on_happening)
        session.link_changed.connect(self.refresh)

    def of(self, target: str) -> DownloadStatus | None:
        """The download of a model, by the name it is asked for with; one that goes on before one that ended."""
        wanted = target_of(target).casefold()
        found = [one for one in self._statuses.values() if target_of(one.model).casefold() == wanted]
        return min(reversed(found), key=lambda one: one.state in _ENDED, default=None)

    def asked(self, target: str) -> bool:
        """Whether a download was asked for and the service has not answered yet."""
        return target in self._asked

    def refresh(self) -> None:
        """The whole queue again."""

        def done(statuses: list[DownloadStatus]) -> None:
            self._statuses = {one.id: one for one in statuses}
            self.changed.emit("")

        if self._session.online:
            self._session.link.ask(lambda client: client.downloads(), done, failed=lambda _: None)

    def add(self, target: str, quantization: str = "", sources: Sequence[str] = ()) -> None:
        """Download a model; without a quantization the service takes its choice."""
        name = f"{target}:{quantization}" if quantization else target
        self._asked.add(target)
        self.troubles.pop(target, None)
        self.changed.emit(target)

        def done(status: DownloadStatus) -> None:
            self._asked.discard(target)
            known = self._statuses.get(status.id)
            if known is None or known.state in _ENDED:  # else events were faster and know more
                self._note(status)
            self.changed.emit(target)

        def failed(error: Exception) -> None:
            self._asked.discard(target)
            self.troubles[target] = error
            self.changed.emit(target)

        self._session.link.ask(lambda client: client.add_download(name, sources), done, failed)

    def pause(self, target: str) -> None:
        if (status := self.of(target)) is not None:
            self._session.link.ask(lambda client: client.pause_download(status.id), self._note)

    def resume(self, target: str) -> None:
        """Go on after a pause or a failure."""
        if (status := self.of(target)) is not None:
            self._session.link.ask(lambda client: client.resume_download(status.id), self._note)

    def cancel(self, target: str) -> None:
        """Take it out of the queue; what arrived is deleted unless it was done."""
        if (status := self.of(target)) is not None:
            self._session.link.ask(lambda client: client.cancel_download(status.id), lambda _: self._drop(status.id))

    def _on_happening(self, happening: object) -> None:
        if isinstance(happening, DownloadStatus):
            self._note(happening)
        elif isinstance(happening, DownloadRemoved):
            self._drop(happening.id)
        elif isinstance(happening, Gap):
            self.refresh()

    def _note(self, status: DownloadStatus) -> None:
        self._statuses[status.id] = status
        self.changed.emit(target_of(status.model))

    def _drop(self, download_id: str) -> None:
        status = self._statuses.pop(download_id, None)
        if status is not None:
            self.changed.emit(target_of(status.model))
