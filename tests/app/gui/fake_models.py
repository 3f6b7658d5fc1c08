"""The part of the service in the test's own process that is about models: catalogue, downloads and library."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from app.catalogue_values import CatalogueDetail, CatalogueFit, CatalogueFound, CatalogueQuery, CatalogueUpdate
from app.client.http import ServiceClient
from app.download_values import DownloadStatus
from app.errors import RemoteError
from app.values import ImportReport, LibraryWork, LocalModel, MessagePrompt, ModelRemoval, TemplateReport


def missing(code: str, **fields: Any) -> RemoteError:
    """What the service says of something that it does not have."""
    return RemoteError(code=code, fields=fields, http_status=404)


class FakeModels(ServiceClient):
    """Answers from attributes, which a test sets. Nothing changes by being asked, except the queue of downloads."""

    def __init__(self) -> None:
        self.local_models: list[LocalModel] = []
        self.catalogue_found = CatalogueFound(models=(), hidden=0, problems=(), date="2026-11-01", updated=False)
        self.details: dict[str, CatalogueDetail] = {}
        # Those that are known at once; others a test sends as "catalogue_fit" events.
        self.fits: dict[str, CatalogueFit] = {}
        self.update = CatalogueUpdate(allowed=False, state="never", date="2026-11-01")
        self.download_statuses: list[DownloadStatus] = []
        self.works: list[LibraryWork] = []
        self.removals: dict[str, ModelRemoval] = {}
        self.template_reports: dict[str, TemplateReport] = {}
        self.profiles: list[str] = ["chatml"]
        self.prompts: dict[str, MessagePrompt] = {}

    def _note(self, name: str, what: Any = None) -> None:
        """Record what was asked; raises what a test wants to be raised."""
        raise NotImplementedError

    # The catalogue

    def catalogue(self, query: CatalogueQuery) -> CatalogueFound:
        self._note("catalogue", query)
        return self.catalogue_found

    def catalogue_model(self, model: str) -> CatalogueDetail:
        self._note("catalogue_model", model)
        if model not in self.details:
            raise missing("CatalogueModelUnknown", name=model, candidates=())
        return self.details[model]

    def catalogue_fits(self, models: Sequence[str]) -> list[CatalogueFit]:
        self._note("fits", tuple(models))
        return [self.fits[model] for model in models if model in self.fits]

    def catalogue_update(self) -> CatalogueUpdate:
        return self.update

    def check_catalogue(self) -> CatalogueUpdate:
        self._note("check_catalogue")
        return dataclasses.replace(self.update, state="checking")

    # Downloads

    def downloads(self) -> list[DownloadStatus]:
        return list(self.download_statuses)

    def add_download(
        self, model: str, sources: Sequence[str] = (), endpoints: Mapping[str, str] | None = None
    ) -> DownloadStatus:
        self._note("download", model)
        number = len(self.download_statuses) + 1
        added = DownloadStatus(id=f"d{number}", model=model, name=model, quantization="", state="queued")
        self.download_statuses.append(added)
        return added

    def pause_download(self, download_id: str) -> DownloadStatus:
        self._note("pause", download_id)
        return self._downloading(download_id, "paused")

    def resume_download(self, download_id: str) -> DownloadStatus:
        self._note("resume", download_id)
        return self._downloading(download_id, "queued")

    def _downloading(self, download_id: str, state: Any) -> DownloadStatus:
        for at, status in enumerate(self.download_statuses):
            if status.id == download_id:
                self.download_statuses[at] = dataclasses.replace(status, state=state)
                return self.download_statuses[at]
        raise missing("DownloadMissing", id=download_id)

    def cancel_download(self, download_id: str) -> None:
        self._note("cancel_download", download_id)
        self.download_statuses = [one for one in self.download_statuses if one.id != download_id]

    def move_download(self, download_id: str, position: int) -> list[DownloadStatus]:
        self._note("move_download", (download_id, position))
        moved = [one for one in self.download_statuses if one.id == download_id]
        others = [one for one in self.download_statuses if one.id != download_id]
        self.download_statuses = [*others[:position], *moved, *others[position:]]
        return list(self.download_statuses)

    # The library

    def import_folder(self, path: str) -> ImportReport:
        self._note("import_folder", path)
        return ImportReport(models=(), refused=())

    def copy_model(self, path: str) -> LibraryWork:
        self._note("copy", path)
        return _begun("copy", path)

    def model_removal(self, model: str) -> ModelRemoval:
        self._note("removal", model)
        return self.removals.get(model, ModelRemoval(paths=(), freed_bytes=0))

    def remove_model(self, model: str) -> ModelRemoval:
        self._note("remove", model)
        self.local_models = [one for one in self.local_models if one.id != model]
        return self.removals.get(model, ModelRemoval(paths=(), freed_bytes=0))

    def verify_model(self, model: str) -> LibraryWork:
        self._note("verify", model)
        return _begun("verify", model)

    def compare_models(self) -> LibraryWork:
        self._note("compare")
        return _begun("compare", "")

    def move_library(self, folder: str) -> LibraryWork:
        self._note("move", folder)
        return _begun("move", "")

    def library_works(self) -> list[LibraryWork]:
        return list(self.works)

    def cancel_library_work(self, key: str) -> None:
        self._note("cancel_work", key)

    def template_report(self, model: str) -> TemplateReport:
        self._note("template", model)
        if model not in self.template_reports:
            raise missing("ModelMissing", model=model, available=())
        return self.template_reports[model]

    def chat_profiles(self) -> list[str]:
        return list(self.profiles)

    def message_prompt(self, chat_id: str, message_id: str) -> MessagePrompt:
        self._note("prompt", (chat_id, message_id))
        if message_id not in self.prompts:
            raise missing("MessageMissing", message_id=message_id)
        return self.prompts[message_id]


def _begun(kind: Any, model: str) -> LibraryWork:
    return LibraryWork(
        key=f"{kind} {model}" if model else kind, kind=kind, model=model, state="running", done_bytes=0, total_bytes=0
    )
