"""Errors of hubs that answer and refuse. They carry fields, never sentences: `app.words` says them.

RemoteRefused
├── RemoteGated   its publisher wants his terms accepted first
└── RemoteBusy    too many requests; the hub said how long to wait
"""

from __future__ import annotations

from dataclasses import dataclass

from models_catalog.errors import RemoteRefused


@dataclass(eq=False)
class RemoteGated(RemoteRefused):
    """The files are for those who accepted the publisher's terms on `page`, "" where there is none, and logged in."""

    address: str
    page: str


@dataclass(eq=False)
class RemoteBusy(RemoteRefused):
    """`source` answers, and wants to be left alone for `wait_seconds`, None where it did not say how long."""

    address: str
    source: str
    wait_seconds: float | None
