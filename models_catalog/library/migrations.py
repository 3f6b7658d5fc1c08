"""The index's schema as numbered steps; `PRAGMA user_version` counts the steps that were taken."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable


class IndexNewer(Exception):
    """A newer version of this program wrote the index; it is left untouched."""


def _first_schema(connection: sqlite3.Connection) -> None:
    """models: what a model's header said when its files had this stamp. files: hashes, with the stamp they belong to.

    facts is NULL for a file that only goes with a model. promised_sha256 is what a listing or a content address says,
    sha256 what was computed here; "" while unknown.
    """
    connection.execute(
        """
        CREATE TABLE models (
            path TEXT PRIMARY KEY,
            root TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            changed_ns INTEGER NOT NULL,
            facts TEXT,
            origin TEXT NOT NULL DEFAULT '',
            added_at REAL
        ) STRICT
        """
    )
    connection.execute(
        """
        CREATE TABLE files (
            path TEXT PRIMARY KEY,
            size_bytes INTEGER NOT NULL,
            changed_ns INTEGER NOT NULL,
            promised_sha256 TEXT NOT NULL DEFAULT '',
            sha256 TEXT NOT NULL DEFAULT ''
        ) STRICT
        """
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first_schema,)


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that are missing, all of them or none. Raises IndexNewer, having changed nothing.

    The connection must be in autocommit mode.
    """
    if _taken(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have taken the steps while this one waited.
        taken = _taken(connection)
        if taken > len(MIGRATIONS):
            raise IndexNewer
        for step in MIGRATIONS[taken:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _taken(connection: sqlite3.Connection) -> int:
    (taken,) = connection.execute("PRAGMA user_version").fetchone()
    return int(taken)
