"""Before a newer version changes the chats' database it copies it, and an older one leaves the newer alone."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from app import words
from app.errors import DatabaseNewer, DataFolderUnusable
from app.service.chats import migrations, store
from app.service.chats.backup import backup_path
from app.service.chats.database import Database

NOW = len(migrations.MIGRATIONS)


async def _filled(path: Path, title: str = "旧对话") -> str:
    database = Database(path)
    await database.open()
    chat = await database.run(store.add_chat, title, "", "")
    await database.close()
    return chat.summary.id


def _newer_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE chats ADD COLUMN colour TEXT NOT NULL DEFAULT ''")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, step))


def _titles(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = [title for (title,) in connection.execute("SELECT title FROM chats")]
    connection.close()
    return found


async def test_a_migration_keeps_everything_and_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chats.sqlite3"
    chat_id = await _filled(path)
    assert not list(tmp_path.glob("*.backup"))
    _newer_program(monkeypatch)
    database = Database(path)
    await database.open()
    assert (await database.run(store.chat, chat_id)).summary.title == "旧对话"
    assert await database.run(lambda connection: connection.execute("SELECT colour FROM chats").fetchall()) == [("",)]
    await database.close()
    copy = backup_path(path, NOW)
    assert _titles(copy) == ["旧对话"] and copy.stat().st_mode & 0o077 == 0
    assert sqlite3.connect(copy).execute("PRAGMA user_version").fetchone() == (NOW,)
    stamp = copy.stat().st_mtime_ns
    database = Database(path)
    await database.open()
    await database.close()
    assert copy.stat().st_mtime_ns == stamp
    assert sorted(one.name for one in tmp_path.iterdir()) == ["chats.sqlite3", copy.name]


async def test_one_copy_is_kept_for_each_old_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chats.sqlite3"
    backup_path(path, NOW).write_bytes(b"an earlier copy")
    await _filled(path)
    _newer_program(monkeypatch)
    database = Database(path)
    await database.open()
    await database.close()
    assert _titles(backup_path(path, NOW)) == ["旧对话"]
    assert len(list(tmp_path.glob("*.backup"))) == 1


async def test_without_room_for_the_copy_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chats.sqlite3"
    await _filled(path)
    _newer_program(monkeypatch)
    (tmp_path / f".{backup_path(path, NOW).name}.new").mkdir()
    with pytest.raises(DataFolderUnusable):
        await Database(path).open()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (NOW,)


async def test_an_older_program_refuses_and_names_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chats.sqlite3"
    await _filled(path)
    with monkeypatch.context() as newer:
        _newer_program(newer)
        database = Database(path)
        await database.open()
        await database.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DatabaseNewer) as error:
        await Database(path).open()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert (error.value.found_version, error.value.backup_path) == (NOW + 1, str(backup_path(path, NOW)))
    for language, word in (("zh", "备份"), ("en", "copy from before")):
        assert word in words.describe_error(error.value, "zh" if language == "zh" else "en")
    backup_path(path, NOW).unlink()
    with pytest.raises(DatabaseNewer) as error:
        await Database(path).open()
    assert "copy from before" not in words.describe_error(error.value, "en")
