"""The one connection to the chats' database, on the one thread that may use it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from app.errors import DataFolderUnusable
from app.service.chats.migrations import migrate

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Runs functions of a connection, one after the other, each as one transaction that is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chats")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Create or migrate the file. Raises DatabaseNewer and DataFolderUnusable."""
        await self._on_thread(self._open)

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work(connection, …)`. When it raises nothing has been changed.

        Raises DataFolderUnusable when the disk is full, read-only or gone, and whatever `work` raises. A caller that is
        cancelled while it waits does not undo or cut the work.
        """
        return await self._on_thread(lambda: self._in_transaction(lambda connection: work(connection, *args, **kwargs)))

    async def close(self) -> None:
        """Finish what was asked for and close the file."""
        await self._on_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> None:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            try:
                migrate(connection, str(self._path))
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")  # with WAL, NORMAL may lose the last commits
                connection.execute("PRAGMA foreign_keys = ON")
                self._path.chmod(0o600)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise DataFolderUnusable(path=str(self._path), reason=str(error)) from error
        self._connection = connection

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        assert connection is not None, "the database is not open"
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise DataFolderUnusable(path=str(self._path), reason=str(error)) from error
        return result

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
