"""What is told of a source that failed: a kind that `app.words` says in the user's language, with its numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProblem:
    """source: as people know it. kind: a key of `hubs.problem`. status: of HTTP, 0 for none. wait_seconds: how long the
    source asked to be left alone, 0 if it did not. page: where a person can ask for access. detail: technical English.
    """

    source: str
    kind: str
    status: int = 0
    wait_seconds: float = 0.0
    page: str = ""
    detail: str = ""
