from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import ChatBusy, ChatMissing, DatabaseNewer, DataFolderUnusable, MessageMissing
from app.service.chats import store
from app.service.chats.database import Database
from app.service.chats.migrations import MIGRATIONS, migrate
from app.service.chats.wish import AnswerWish
from app.values import ChatMessage, ErrorBody, MessageStats
from inference.values import SamplingWish

WISH = AnswerWish(sampling=SamplingWish(temperature=0.1, seed=3, logit_bias=((5, -1.0),)), max_tokens=9)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made, ":memory:")
    made.execute("PRAGMA foreign_keys = ON")
    yield made
    made.close()


def end(connection: sqlite3.Connection, answer: ChatMessage) -> None:
    store.finish_answer(connection, answer.id, text="t", reasoning="", state="complete", stats=None, error=None)


def test_versions_of_a_turn_are_siblings_and_branches_can_be_shown(connection: sqlite3.Connection) -> None:
    chat = store.add_chat(connection, "", "", "be kind").summary.id
    first, answer = store.add_user_message(connection, chat, None, "你好", "m1", WISH)
    with pytest.raises(ChatBusy):
        store.add_user_message(connection, chat, answer.id, "too early", "m1", WISH)
    end(connection, answer)
    second, deeper = store.add_user_message(connection, chat, answer.id, "more", "m1", WISH)
    again = store.add_answer(
        connection, store.NewAnswer(chat_id=chat, parent_id=first.id, model="m2", wish=WISH.without_seed())
    )
    shown = store.chat(connection, chat)
    assert [message.id for message in shown.messages] == [first.id, again.id]
    assert shown.messages[1].sibling_ids == (answer.id, again.id)
    assert shown.summary.model == "m2" and shown.summary.busy and shown.system_prompt == "be kind"
    shown = store.activate_branch(connection, chat, answer.id)
    assert [message.id for message in shown.messages] == [first.id, answer.id, second.id, deeper.id]
    edited, _ = store.add_user_message(connection, chat, None, "hello", "m1", WISH)
    assert store.message(connection, chat, edited.id).sibling_ids == (first.id, edited.id)
    assert store.wish(connection, answer.id) == WISH
    assert store.wish(connection, again.id).sampling.seed is None
    assert store.last_model(connection) == "m1"


def test_an_answer_as_it_ended(connection: sqlite3.Connection) -> None:
    chat = store.add_chat(connection, "t", "", "").summary.id
    _, answer = store.add_user_message(connection, chat, None, "x", "m", WISH)
    stats = MessageStats(
        prompt_tokens=1, completion_tokens=2, cached_tokens=0, first_token_seconds=0.1, tokens_per_second=9.0, seed=4
    )
    error = ErrorBody(code="EngineDied", fields={"cause": "killed", "signal": 9})
    store.finish_answer(connection, answer.id, text="a", reasoning="r", state="interrupted", stats=stats, error=error)
    kept = store.message(connection, chat, answer.id)
    assert (kept.text, kept.reasoning, kept.state, kept.stats, kept.error) == ("a", "r", "interrupted", stats, error)
    assert not store.summary(connection, chat).busy
    reopened = store.reopen_answer(connection, chat, answer.id, "m3")
    assert (reopened.state, reopened.error, reopened.text, reopened.model) == ("streaming", None, "a", "m3")
    store.save_text(connection, answer.id, "ab", "r")
    assert store.interrupt_unfinished(connection) == 1
    assert store.message(connection, chat, answer.id).state == "interrupted"
    assert store.message(connection, chat, answer.id).text == "ab"


def test_deleting_a_long_chat_leaves_nothing(connection: sqlite3.Connection) -> None:
    chat = store.add_chat(connection, "", "", "").summary.id
    other = store.add_chat(connection, "other", "", "").summary.id
    parent = None
    for number in range(1200):  # deeper than SQLite's limit for cascades
        parent = store._insert(
            connection, chat_id=chat, parent_id=parent, role="user", text=str(number), state="complete"
        )
    assert len(store.path(connection, chat, parent)) == 1200
    connection.execute("BEGIN")
    store.delete_chat(connection, chat)
    connection.execute("COMMIT")
    assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)
    assert [summary.id for summary in store.summaries(connection)] == [other]


def test_titles_by_the_first_message_unless_the_user_gave_one(connection: sqlite3.Connection) -> None:
    unnamed, named = (store.add_chat(connection, title, "", "").summary.id for title in ("", "mine"))
    for chat in (unnamed, named):
        _, answer = store.add_user_message(connection, chat, None, "first words", "m", WISH)
        end(connection, answer)
        store.add_user_message(connection, chat, answer.id, "second", "m", WISH)
    assert store.summary(connection, unnamed).title == "first words"
    assert store.summary(connection, named).title == "mine"
    store.change_chat(connection, unnamed, title="renamed", model=None, system_prompt=None)
    assert store.summary(connection, unnamed).title == "renamed"


def test_what_is_not_there(connection: sqlite3.Connection) -> None:
    chat, other = (store.add_chat(connection, "", "", "").summary.id for _ in range(2))
    user, _ = store.add_user_message(connection, chat, None, "x", "m", WISH)
    with pytest.raises(MessageMissing):
        store.message(connection, other, user.id)
    with pytest.raises(MessageMissing):
        store.add_user_message(connection, other, user.id, "x", "m", WISH)
    for missing in (store.chat, store.active_leaf, store.delete_chat, store.summary):
        with pytest.raises(ChatMissing):
            missing(connection, "nobody")


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    made = sqlite3.connect(path)
    made.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    made.close()
    before = path.read_bytes()
    made = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(DatabaseNewer) as error:
        migrate(made, str(path))
    made.close()
    assert error.value.found_version == len(MIGRATIONS) + 1
    assert path.read_bytes() == before


async def test_database_is_durable_private_and_undoes_failed_work(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    database = Database(path)
    await database.open()
    chat = await database.run(store.add_chat, "kept", "", "")

    def half(connection: sqlite3.Connection) -> None:
        store.delete_chat(connection, chat.summary.id)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.run(half)
    assert (await database.run(store.chat, chat.summary.id)).summary.title == "kept"
    (mode,) = await database.run(lambda connection: connection.execute("PRAGMA journal_mode").fetchone())
    (keys,) = await database.run(lambda connection: connection.execute("PRAGMA foreign_keys").fetchone())
    assert (mode, keys) == ("wal", 1)
    assert path.stat().st_mode & 0o077 == 0
    await database.run(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(DataFolderUnusable):  # as on a full disk
        for _ in range(500):
            await database.run(store.add_chat, "x" * 4000, "", "")
    await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(DataFolderUnusable):
        await Database(path).open()
    assert path.read_bytes().startswith(b"something else")
