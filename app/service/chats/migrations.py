"""The database's schema as numbered steps; `PRAGMA user_version` counts the steps that were taken."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from app.errors import DatabaseNewer
from app.service.chats.backup import back_up, backup_path


def _first_schema(connection: sqlite3.Connection) -> None:
    """Chats and their messages, a tree per chat: versions of a turn share a parent.

    No cascade from parent to child: SQLite would stop at a depth of 1,000. Messages go with their chat as a whole.
    """
    connection.execute(
        """
        CREATE TABLE chats (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            titled_by TEXT NOT NULL CHECK (titled_by IN ('nobody', 'first_message', 'user')),
            model TEXT NOT NULL,
            system_prompt TEXT NOT NULL,
            active_leaf TEXT REFERENCES messages (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL
        ) STRICT
        """
    )
    connection.execute(
        """
        CREATE TABLE messages (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            parent_id TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
            role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
            text TEXT NOT NULL,
            reasoning TEXT NOT NULL DEFAULT '',
            state TEXT NOT NULL
                CHECK (state IN ('streaming', 'complete', 'length', 'stopped', 'interrupted', 'failed')),
            model TEXT NOT NULL DEFAULT '',
            wish TEXT NOT NULL DEFAULT '{}',
            stats TEXT,
            error TEXT,
            created_at REAL NOT NULL
        ) STRICT
        """
    )
    connection.execute("CREATE INDEX messages_of_chat ON messages (chat_id, number)")
    connection.execute("CREATE INDEX messages_by_parent ON messages (parent_id)")
    connection.execute("CREATE INDEX messages_being_written ON messages (chat_id) WHERE state = 'streaming'")
    connection.execute("CREATE INDEX chats_by_time ON chats (updated_at DESC)")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first_schema,)


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Take the steps that are missing, all of them or none, after what was there has been copied beside it.

    The connection must be in autocommit mode with foreign keys off or deferred. Raises DatabaseNewer, having changed
    nothing, and sqlite3.Error, also where there is no room for the copy.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > len(MIGRATIONS):
        copy = backup_path(Path(path), len(MIGRATIONS))
        raise DatabaseNewer(
            path=path,
            found_version=found,
            known_version=len(MIGRATIONS),
            backup_path=str(copy) if copy.exists() else "",
        )
    if found == len(MIGRATIONS):
        return
    if found:
        back_up(connection, Path(path), found)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[found:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
