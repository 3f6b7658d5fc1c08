"""What was learned about model files, in SQLite, so that it need not be learned again. A memory: it may be lost."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models_catalog.library.migrations import IndexNewer, migrate
from models_catalog.library.values import ModelFile

log = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
# Results that mean that the file itself is no use; a full disk or a busy index is not among them.
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A file when it had this stamp. facts: None for one that only goes with a model. root: of the place it was in.

    added_at: when it came here, None where only its own time is known.
    """

    root: str
    size_bytes: int
    changed_ns: int
    facts: ModelFile | None
    origin: str = ""
    added_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHash:
    """Hashes of one file when it had this stamp: what it should be, and what was computed; "" while unknown."""

    size_bytes: int
    changed_ns: int
    promised_sha256: str = ""
    sha256: str = ""


class Index:
    """Blocking; any number of threads and processes. Nothing raises: what cannot be kept is learned again.

    A broken file is made anew; one of a newer version, or on a disk that cannot be written, is done without.
    """

    def __init__(self, path: Path | None) -> None:
        """path None: nothing is remembered."""
        self._path = path

    def models(self) -> dict[str, Remembered]:
        """What is known of all models, by path."""
        models: dict[str, Remembered] = {}
        with self._open() as connection:
            for path, root, size_bytes, changed_ns, facts, origin, added_at in connection.execute(
                "SELECT path, root, size_bytes, changed_ns, facts, origin, added_at FROM models"
            ):
                with contextlib.suppress(msgspec.MsgspecError):
                    models[path] = Remembered(
                        root=root,
                        size_bytes=size_bytes,
                        changed_ns=changed_ns,
                        facts=None if facts is None else msgspec.json.decode(facts, type=ModelFile),
                        origin=origin,
                        added_at=added_at,
                    )
        return models

    def hashes(self) -> dict[str, FileHash]:
        """What is known of single files, by path."""
        with self._open() as connection:
            rows = connection.execute("SELECT path, size_bytes, changed_ns, promised_sha256, sha256 FROM files")
            return {
                path: FileHash(size_bytes=size_bytes, changed_ns=changed_ns, promised_sha256=promised, sha256=sha256)
                for path, size_bytes, changed_ns, promised, sha256 in rows
            }
        return {}

    def keep(
        self,
        models: Mapping[str, Remembered] | None = None,
        hashes: Mapping[str, FileHash] | None = None,
        *,
        forget: Iterable[str] = (),
    ) -> None:
        """Remember these, by path, and forget others; all of it or nothing."""
        forgotten = [(path,) for path in forget]
        if not (models or hashes or forgotten):
            return
        with self._open() as connection, _transaction(connection):
            connection.executemany("DELETE FROM models WHERE path = ?", forgotten)
            connection.executemany("DELETE FROM files WHERE path = ?", forgotten)
            connection.executemany(
                "INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        path,
                        one.root,
                        one.size_bytes,
                        one.changed_ns,
                        None if one.facts is None else msgspec.json.encode(one.facts).decode(),
                        one.origin,
                        one.added_at,
                    )
                    for path, one in (models or {}).items()
                ],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                [
                    (path, one.size_bytes, one.changed_ns, one.promised_sha256, one.sha256)
                    for path, one in (hashes or {}).items()
                ],
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection, to an empty index where the real one cannot be had; errors of what is done with it end here."""
        connection = self._connect()
        try:
            yield connection
        except sqlite3.Error as error:
            self._complain(error)
            if self._is_broken(error):
                connection.close()
                self._remove()
        finally:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        for _ in range(2):
            if self._path is None:
                break
            connection = None
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
                migrate(connection)
                return connection
            except IndexNewer:
                log.info("the index %s is of a newer version and left alone", self._path)
            except (sqlite3.Error, OSError) as error:
                self._complain(error)
                if self._is_broken(error):
                    if connection is not None:
                        connection.close()
                    self._remove()
                    continue
            if connection is not None:
                connection.close()
            break
        memory = sqlite3.connect(":memory:", isolation_level=None)
        migrate(memory)
        return memory

    def _is_broken(self, error: Exception) -> bool:
        # Extended codes carry the plain one in their lowest byte.
        return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN

    def _complain(self, error: Exception) -> None:
        what = "is broken and made anew" if self._is_broken(error) else "cannot be used now"
        log.warning("the index of models, %s, %s: %s", self._path, what, error)

    def _remove(self) -> None:
        assert self._path is not None
        for ending in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
