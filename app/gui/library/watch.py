"""What the page knows beside the models themselves: the work on their files, and what is said of their templates."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.client.events import Gap
from app.client.http import ServiceClient
from app.errors import AppError
from app.gui.models_folder import models_folder
from app.gui.session import Session
from app.values import ErrorBody, ImportReport, LibraryWork, LocalModel, ModelRemoval, TemplateReport
from app.words import error_body


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """The models folder now. free_bytes: None if the disk does not tell; there: it can be looked into."""

    path: Path
    there: bool
    free_bytes: int | None


class LibraryWatch(QObject):
    """Lives in the Qt thread, follows the service by itself.

    `works`: what runs, and what ended while somebody watched, until it is forgotten. `reports`: by model id.
    `begun`: something is asked for that makes old news of what was said before. `imported` carries an ImportReport;
    `refused` why the last wish was not done; `removal_known` a model and its ModelRemoval.
    """

    works_changed = Signal()
    reports_changed = Signal()
    folder_changed = Signal()
    begun = Signal()
    imported = Signal(object)
    refused = Signal(object)
    removal_known = Signal(object, object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.works: dict[str, LibraryWork] = {}
        self.reports: dict[str, TemplateReport | Exception] = {}
        self.profiles: tuple[str, ...] = ()
        self.folder: FolderState | None = None
        self._examined: set[str] = set()
        session.link.happened.connect(self._on_happening)
        session.link_changed.connect(self._on_link)
        session.models_changed.connect(self._on_models)
        session.settings_changed.connect(self.look_at_folder)
        session.status_changed.connect(self._on_status)
        self._on_link()

    # What is asked for

    def verify(self, model_id: str) -> None:
        self._begin(lambda client: client.verify_model(model_id))

    def compare(self) -> None:
        """Tell duplicates from files that are only as large."""
        self._begin(lambda client: client.compare_models())

    def copy(self, path: str) -> None:
        """Copy a model that lies elsewhere into the models folder."""
        self._begin(lambda client: client.copy_model(path))

    def move(self, folder: str) -> None:
        """Move the models folder; what is loaded from it is unloaded first, which an answer on its way refuses."""
        here = {model.id for model in self._session.models or () if model.place == "library"}
        loaded = [model_id for model_id in self._session.engines if model_id in here]

        def work(client: ServiceClient) -> LibraryWork:
            for model_id in loaded:
                client.unload_engine(model_id)
            return client.move_library(folder)

        self._begin(work)

    def cancel(self, key: str) -> None:
        self._ask(lambda client: client.cancel_library_work(key), lambda _: None)

    def forget(self, key: str) -> None:
        """The user has read how some work ended."""
        if (work := self.works.get(key)) is not None and work.state != "running":
            del self.works[key]
            self.works_changed.emit()

    def ask_removal(self, model: LocalModel) -> None:
        """What removing it would do; `removal_known` answers."""
        self._ask(lambda client: client.model_removal(model.id), lambda known: self.removal_known.emit(model, known))

    def remove(self, model_id: str) -> None:
        """A model that is loaded and idle is unloaded first; one that answers is left alone."""
        loaded = model_id in self._session.engines

        def work(client: ServiceClient) -> ModelRemoval:
            if loaded:
                client.unload_engine(model_id)
            return client.remove_model(model_id)

        def done(_: ModelRemoval) -> None:
            self._session.refresh_models()
            self.look_at_folder()

        self._ask(work, done)

    def import_paths(self, paths: tuple[str, ...]) -> None:
        """Use files and all models of folders where they lie."""

        def work(client: ServiceClient) -> ImportReport:
            added: list[LocalModel] = []
            refused: list[ErrorBody] = []
            for path in paths:
                try:
                    if Path(path).is_dir():
                        report = client.import_folder(path)
                        added.extend(report.models)
                        refused.extend(report.refused)
                    else:
                        added.append(client.import_model(path))
                except AppError as error:
                    refused.append(error_body(error))
            return ImportReport(models=tuple(added), refused=tuple(refused))

        def done(report: ImportReport) -> None:
            self._session.refresh_models()
            self.imported.emit(report)

        self._forget_ended()
        self._ask(work, done)

    def examine(self, model: LocalModel) -> None:
        """What the doctor says of a model's template; asked for once for each file."""
        if model.id in self._examined or model.id in self.reports:
            return
        self._examined.add(model.id)

        def failed(error: Exception) -> None:
            self._examined.discard(model.id)
            self.reports[model.id] = error
            self.reports_changed.emit()

        self._session.link.ask(lambda client: client.template_report(model.id), self._note_report, failed)
        if not self.profiles:
            self._session.link.ask(lambda client: client.chat_profiles(), self._note_profiles, failed=lambda _: None)

    def use_profile(self, model_id: str, profile: str) -> None:
        """Let a built-in chat profile take the place of the file's template; "" for the file's own."""
        kept = dict(self._session.settings.get("chat_profiles") or {})
        kept.pop(model_id, None)
        if profile:
            kept[model_id] = profile
        self._ask(lambda client: client.update_settings(chat_profiles=kept), lambda _: None)

    def reload(self, model_id: str) -> None:
        """Load a loaded model anew."""

        def work(client: ServiceClient) -> None:
            client.unload_engine(model_id)
            client.load_engine(model_id)

        self._ask(work, lambda _: None)

    def search_in(self, setting: str, wanted: bool) -> None:
        """Whether models of another program are listed."""
        self._ask(lambda client: client.update_settings(**{setting: wanted}), lambda _: self._session.refresh_models())

    def look_at_folder(self) -> None:
        """Its disk may be slow or asleep, so it is looked at in a thread."""
        folder = models_folder(self._session)
        if folder is None:
            return

        def done(state: FolderState) -> None:
            if state != self.folder:
                self.folder = state
                self.folder_changed.emit()

        self._session.link.ask(lambda _: _folder_state(folder), done, failed=lambda _: None)

    # What happens

    def _forget_ended(self) -> None:
        """What is begun now makes old news of how other work ended; verdicts stay, each with its model."""
        self.works = {key: work for key, work in self.works.items() if work.state == "running" or work.kind == "verify"}
        self.works_changed.emit()
        self.begun.emit()

    def _begin(self, work: Callable[[ServiceClient], LibraryWork]) -> None:
        self._forget_ended()
        before = dict(self.works)

        def done(begun: LibraryWork) -> None:
            # Else its events were faster than the answer, and know more.
            if self.works.get(begun.key) is before.get(begun.key):
                self._note_work(begun)

        self._ask(work, done)

    def _ask(self, work: Callable[[ServiceClient], object], done: Callable[..., None]) -> None:
        self._session.link.ask(work, done, failed=self.refused.emit)

    def _note_work(self, work: LibraryWork) -> None:
        self.works[work.key] = work
        self.works_changed.emit()
        if work.state != "running":
            self.look_at_folder()

    def _note_report(self, report: TemplateReport) -> None:
        self._examined.add(report.model)
        self.reports[report.model] = report
        self.reports_changed.emit()

    def _note_profiles(self, profiles: list[str]) -> None:
        self.profiles = tuple(profiles)
        self.reports_changed.emit()

    def _on_happening(self, happening: object) -> None:
        match happening:
            case LibraryWork():
                self._note_work(happening)
            case TemplateReport():
                self._note_report(happening)
            case Gap():
                self._refresh()

    def _on_link(self) -> None:
        if self._session.online:
            self._refresh()

    def _refresh(self) -> None:
        def done(works: list[LibraryWork]) -> None:
            before = self.works
            running = {work.key for work in before.values() if work.state == "running"}
            # What ended before anybody looked is old news; what was seen running is not.
            self.works = {
                work.key: work for work in works if work.state == "running" or work.key in running or work.key in before
            }
            self.works_changed.emit()

        self._session.link.ask(lambda client: client.library_works(), done, failed=lambda _: None)
        self.look_at_folder()

    def _on_models(self) -> None:
        ids = {model.id for model in self._session.models or ()}
        for gone in [one for one in self.reports if one not in ids]:
            del self.reports[gone]
        self._examined &= ids
        self.look_at_folder()

    def _on_status(self) -> None:
        if self.folder is None:
            self.look_at_folder()


def _folder_state(folder: Path) -> FolderState:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return FolderState(path=folder, there=False, free_bytes=None)
    return FolderState(path=folder, there=True, free_bytes=free)
