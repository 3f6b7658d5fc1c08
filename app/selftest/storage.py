"""Checks of what is kept: the database's abilities, the folders, the clock by which files are dated."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import app
from app import local_models, paths
from app.errors import AppError
from app.selftest.values import Finding, Surroundings, Verdict
from app.settings import Settings, load_settings

# What the search of chats is made with; three characters are the fewest that it finds.
_TABLE = "CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'trigram')"
_SAID, _SOUGHT = "量力而行，知其可为而为之", "知其可为"
_LITTLE_BYTES, _TOO_LITTLE_BYTES = 2 * 1000**3, 50 * 1000**2
_DAY_SECONDS = 86_400.0
# Nobody's clock was there when this was written; certificates of servers are not valid there either.
_EARLIEST, _LATEST = 1_767_225_600.0, 4_102_444_800.0


def database(surroundings: Surroundings) -> Finding:
    """SQLite with full text search, on a file as the chats are on."""
    facts: dict[str, Any] = {"sqlite": sqlite3.sqlite_version}
    try:
        with closing(sqlite3.connect(surroundings.scratch / "check.sqlite3")) as connection:
            facts["journal"] = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            connection.execute(_TABLE)
            connection.execute("INSERT INTO words VALUES (?)", (_SAID,))
            rows = connection.execute("SELECT text FROM words WHERE words MATCH ?", (f'"{_SOUGHT}"',)).fetchall()
    except sqlite3.Error as error:
        return Finding(verdict="failed", seen=("database_bad",), facts=facts | {"reason": str(error)})
    if rows != [(_SAID,)]:
        return Finding(verdict="failed", seen=("database_blind",), facts=facts)
    return Finding(seen=("database",), facts=facts)


def folders(surroundings: Surroundings) -> Finding:
    """Whether something can be written where the program keeps things; what is written is gone at once."""
    data = surroundings.data_folder
    places = {
        "data": data,
        "models": local_models.models_folder(_settings(data)),
        "cache": data / paths.planning_folder().name,
        "logs": data / "logs",
        "temporary": Path(tempfile.gettempdir()),
    }
    seen = {name: _place(path) for name, path in places.items()}
    verdict: Verdict = "ok"
    said = ["folders"]
    if unusable := [name for name, place in seen.items() if place["problem"]]:
        verdict, said = "failed", ["folders_bad"]
    elif _least(seen) < _LITTLE_BYTES:
        verdict, said = ("failed" if _least(seen) < _TOO_LITTLE_BYTES else "warning"), ["folders_full"]
    facts = {
        "folders": seen,
        "data_path": str(data),
        "free_bytes": _least(seen),
        "unusable": [f"{seen[name]['path']} ({seen[name]['problem']})" for name in unusable],
        "portable": paths.portable_folder() is not None,
    }
    return Finding(verdict=verdict, seen=tuple(said), facts=facts)


def clock() -> Finding:
    """A clock that stands wrong makes every encrypted connection fail."""
    now = time.time()
    made = Path(sys.executable if getattr(sys, "frozen", False) else app.__file__).stat().st_mtime
    zone = time.strftime("%z")
    facts = {"time": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)), "zone": zone}
    if not max(_EARLIEST, min(made, _LATEST) - 2 * _DAY_SECONDS) <= now <= _LATEST:
        return Finding(verdict="failed", seen=("clock_wrong",), facts=facts)
    return Finding(seen=("clock",), facts=facts)


def _settings(data: Path) -> Settings:
    try:
        return load_settings(data / paths.settings_file().name)
    except AppError:
        return Settings()


def _place(path: Path) -> dict[str, Any]:
    """path: with what of it exists; one that is not there yet can be made where its parent can be written."""
    there = next((one for one in (path, *path.parents) if one.is_dir()), path)
    problem, free = "", 0
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"liangli")
        free = shutil.disk_usage(there).free
    except OSError as error:
        problem = error.strerror or str(error)
    if path.exists() and not path.is_dir():
        problem = os.strerror(errno.ENOTDIR)
    return {"path": str(path), "exists": path.is_dir(), "problem": problem, "free_bytes": free}


def _least(seen: dict[str, dict[str, Any]]) -> int:
    return min(int(place["free_bytes"]) for name, place in seen.items() if name != "temporary")
