"""Downloads as they cross between the service and its faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.values import ErrorBody

# queued: others come first, or it is not the hour. resolving: hubs are asked what there is. waiting: for a source.
DownloadState = Literal[
    "queued",
    "resolving",
    "choosing_source",
    "transferring",
    "waiting",
    "verifying",
    "repairing",
    "paused",
    "done",
    "failed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStatus:
    """One download. model: what the user named; name: what it is. total_bytes: 0 while unknown.

    remaining_seconds: None while it cannot be told. connections: how many bring bytes. files: paths below the models
    folder. outside_hours: it waits only for the hours that downloads are allowed in.
    """

    id: str
    model: str
    name: str
    quantization: str
    state: DownloadState
    received_bytes: int = 0
    total_bytes: int = 0
    checked_bytes: int = 0
    bytes_per_second: float = 0.0
    remaining_seconds: float | None = None
    source: str = ""
    connections: int = 0
    files: tuple[str, ...] = ()
    outside_hours: bool = False
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadRemoved:
    """A download is no longer in the queue."""

    id: str
