"""A copy of the chats from before their database is changed for a newer version of the program."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path


def backup_path(database: Path, version: int) -> Path:
    """ "chats.sqlite3.version-1.backup": where the copy of a database with this schema is."""
    return database.with_name(f"{database.name}.version-{version}.backup")


def back_up(connection: sqlite3.Connection, database: Path, version: int) -> None:
    """Copy everything that is committed; an earlier copy of this version is replaced once the new one is on the disk.

    Raises sqlite3.Error, also where the disk refuses.
    """
    target = backup_path(database, version)
    fresh = target.with_name(f".{target.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        # Readable by this user alone from its first byte on.
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(sqlite3.connect(fresh)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.replace(target)
    except OSError as error:
        raise sqlite3.OperationalError(f"{target.name}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
