"""The service's events as typed values."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from app.catalogue_values import CatalogueFit
from app.download_values import DownloadRemoved, DownloadStatus
from app.plan_values import CalibrationStatus
from app.values import (
    ChatMessage,
    ChatSummary,
    EngineStatus,
    Event,
    FetchStatus,
    LibraryWork,
    PlanChange,
    TemplateReport,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What was added to a message. The offsets count the characters that were there before it."""

    chat_id: str
    message_id: str
    offset: int
    text: str
    reasoning_offset: int
    reasoning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDeleted:
    """A chat is gone."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineUnloaded:
    """A model is no longer loaded."""

    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """Memory ran out: the model is loaded anew with a lower plan."""

    model: str
    name: str
    change: PlanChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Events were lost between the last one and the next: what was known may be old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsChanged:
    """The list of models on this computer is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadsReordered:
    """The queue has another order."""

    order: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueChanged:
    """The catalogue is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """Some setting is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """The service is about to end because somebody asked it to."""


Happening = (
    ChatSummary
    | ChatMessage
    | Delta
    | EngineStatus
    | EngineUnloaded
    | PlanChanged
    | FetchStatus
    | DownloadStatus
    | DownloadRemoved
    | DownloadsReordered
    | LibraryWork
    | CatalogueFit
    | CatalogueChanged
    | TemplateReport
    | CalibrationStatus
    | ChatDeleted
    | ModelsChanged
    | SettingsChanged
    | Gap
    | Bye
)

_TYPES: dict[str, type[Happening]] = {
    "chat": ChatSummary,
    "chat_deleted": ChatDeleted,
    "message": ChatMessage,
    "delta": Delta,
    "engine": EngineStatus,
    "engine_unloaded": EngineUnloaded,
    "plan_changed": PlanChanged,
    "fetch": FetchStatus,
    "download": DownloadStatus,
    "download_removed": DownloadRemoved,
    "downloads": DownloadsReordered,
    "library_work": LibraryWork,
    "catalogue_fit": CatalogueFit,
    "catalogue": CatalogueChanged,
    "template_report": TemplateReport,
    "calibration": CalibrationStatus,
    "models": ModelsChanged,
    "settings": SettingsChanged,
    "gap": Gap,
    "bye": Bye,
}


def read_event(event: Event) -> Happening | None:
    """The event as its typed value; None for a kind or shape of a newer service that this client does not know."""
    kind = _TYPES.get(event.kind)
    if kind is None:
        return None
    try:
        return msgspec.convert(event.data, kind)
    except msgspec.ValidationError:
        return None
