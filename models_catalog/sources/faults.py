"""What can be wrong with a source. These never leave `models_catalog`: users see CatalogError.

SourceFault
├── SourceCut      the connection broke on the way; the same source may be asked again at once
├── SourceFailed   unreachable, silent, busy or out of order; others first, then perhaps this one again
│   └── SourceChanged  another file lies under the name than a moment ago
└── SourceUnfit    it does not have this file, or has another under its name; not asked again in this download
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class SourceFault(Exception):
    """detail: short technical English for logs. kind: what it is in words, a key of `hubs.problem`; "" for none."""

    detail: str
    kind: str = ""

    def __str__(self) -> str:
        return self.detail


class SourceCut(SourceFault):
    """The connection broke after the answer began."""


@dataclass(eq=False)
class SourceFailed(SourceFault):
    """The source cannot be used now.

    rest_seconds: it asked to be left alone for so long (Retry-After), else 0. status: its HTTP status, else 0.
    """

    rest_seconds: float = 0.0
    status: int = 0

    __str__ = SourceFault.__str__


class SourceChanged(SourceFailed):
    """The file was replaced while it was read."""


@dataclass(eq=False)
class SourceUnfit(SourceFault):
    """The source is of no use for this file. status: the HTTP status that says so, else 0.

    page: where a person can ask for the file, "" where that would not help.
    """

    status: int = 0
    page: str = ""

    __str__ = SourceFault.__str__
