"""Chats and messages in the database: every function takes the connection and runs inside one transaction."""

from __future__ import annotations

import sqlite3
import time
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from app.errors import ChatBusy, ChatMissing, MessageMissing
from app.service.chats.titles import title_from
from app.service.chats.wish import AnswerWish, to_json, wish_from_json
from app.values import Chat, ChatMessage, ChatSummary, ErrorBody, MessageState, MessageStats, Role

_SUMMARY = """
    SELECT id, title, model, created_at, updated_at,
           EXISTS (SELECT 1 FROM messages WHERE chat_id = chats.id AND state = 'streaming') AS busy
    FROM chats
"""
_MESSAGE = "SELECT id, chat_id, parent_id, role, text, reasoning, state, model, created_at, stats, error FROM messages"
_BRANCH = """
    WITH RECURSIVE branch (branch_id, above, depth) AS (
        SELECT id, parent_id, 0 FROM messages WHERE id = ? AND chat_id = ?
        UNION ALL
        SELECT messages.id, messages.parent_id, depth + 1 FROM messages JOIN branch ON messages.id = branch.above
    )
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnswer:
    """An answer that is to be written: where it goes, by which model and how."""

    chat_id: str
    parent_id: str
    model: str
    wish: AnswerWish


def summaries(connection: sqlite3.Connection) -> tuple[ChatSummary, ...]:
    """All chats, the one changed last first."""
    return tuple(_summary(row) for row in connection.execute(f"{_SUMMARY} ORDER BY updated_at DESC, number DESC"))


def summary(connection: sqlite3.Connection, chat_id: str) -> ChatSummary:
    """One chat's row of the list. Raises ChatMissing."""
    row = connection.execute(f"{_SUMMARY} WHERE id = ?", (chat_id,)).fetchone()
    if row is None:
        raise ChatMissing(chat_id=chat_id)
    return _summary(row)


def chat(connection: sqlite3.Connection, chat_id: str) -> Chat:
    """A chat with its active branch. Raises ChatMissing."""
    head = summary(connection, chat_id)
    system_prompt, leaf = connection.execute(
        "SELECT system_prompt, active_leaf FROM chats WHERE id = ?", (chat_id,)
    ).fetchone()
    return Chat(summary=head, system_prompt=system_prompt, messages=path(connection, chat_id, leaf))


def path(connection: sqlite3.Connection, chat_id: str, leaf: str | None) -> tuple[ChatMessage, ...]:
    """The messages from the root down to `leaf`, which may be None (no messages)."""
    if leaf is None:
        return ()
    rows = connection.execute(
        f"{_BRANCH} {_MESSAGE} JOIN branch ON branch_id = messages.id ORDER BY depth DESC", (leaf, chat_id)
    ).fetchall()
    versions = _versions(connection, chat_id)
    return tuple(_message(row, versions[row[2]]) for row in rows)


def message(connection: sqlite3.Connection, chat_id: str, message_id: str) -> ChatMessage:
    """One message. Raises MessageMissing, also when it belongs to another chat."""
    row = connection.execute(f"{_MESSAGE} WHERE id = ? AND chat_id = ?", (message_id, chat_id)).fetchone()
    if row is None:
        raise MessageMissing(message_id=message_id)
    siblings = connection.execute(
        "SELECT id FROM messages WHERE chat_id = ? AND parent_id IS ? ORDER BY number", (chat_id, row[2])
    )
    return _message(row, tuple(sibling for (sibling,) in siblings))


def wish(connection: sqlite3.Connection, message_id: str) -> AnswerWish:
    """How this answer was to be written."""
    row = connection.execute("SELECT wish FROM messages WHERE id = ?", (message_id,)).fetchone()
    return wish_from_json(row[0]) if row else AnswerWish()


def active_leaf(connection: sqlite3.Connection, chat_id: str) -> str | None:
    """The last message of the active branch. Raises ChatMissing."""
    row = connection.execute("SELECT active_leaf FROM chats WHERE id = ?", (chat_id,)).fetchone()
    if row is None:
        raise ChatMissing(chat_id=chat_id)
    leaf: str | None = row[0]
    return leaf


def last_model(connection: sqlite3.Connection) -> str:
    """The model that wrote the newest answer, "" when there is none."""
    row = connection.execute("SELECT model FROM messages WHERE model != '' ORDER BY number DESC LIMIT 1").fetchone()
    return str(row[0]) if row else ""


def add_chat(connection: sqlite3.Connection, title: str, model: str, system_prompt: str) -> Chat:
    """A new, empty chat. With an empty title the first message will give it one."""
    chat_id, now = uuid.uuid4().hex, time.time()
    connection.execute(
        "INSERT INTO chats (id, title, titled_by, model, system_prompt, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (chat_id, title, "user" if title else "nobody", model, system_prompt, now, now),
    )
    return chat(connection, chat_id)


def change_chat(
    connection: sqlite3.Connection, chat_id: str, *, title: str | None, model: str | None, system_prompt: str | None
) -> Chat:
    """Change what is not None. Raises ChatMissing."""
    summary(connection, chat_id)
    if title is not None:
        connection.execute("UPDATE chats SET title = ?, titled_by = 'user' WHERE id = ?", (title, chat_id))
    if model is not None:
        connection.execute("UPDATE chats SET model = ? WHERE id = ?", (model, chat_id))
    if system_prompt is not None:
        connection.execute("UPDATE chats SET system_prompt = ? WHERE id = ?", (system_prompt, chat_id))
    return chat(connection, chat_id)


def delete_chat(connection: sqlite3.Connection, chat_id: str) -> None:
    """Remove a chat and all its messages. Raises ChatMissing."""
    summary(connection, chat_id)
    connection.execute("DELETE FROM chats WHERE id = ?", (chat_id,))


def add_user_message(
    connection: sqlite3.Connection, chat_id: str, parent_id: str | None, text: str, model: str, wish: AnswerWish
) -> tuple[ChatMessage, ChatMessage]:
    """The user's message and the empty answer to it, the new active leaf.

    Raises ChatMissing, MessageMissing, and ChatBusy when the parent is still being written.
    """
    head = summary(connection, chat_id)
    if parent_id is not None and message(connection, chat_id, parent_id).state == "streaming":
        raise ChatBusy(chat_id=chat_id)
    user_id = _insert(connection, chat_id=chat_id, parent_id=parent_id, role="user", text=text, state="complete")
    if not head.title:
        connection.execute(
            "UPDATE chats SET title = ?, titled_by = 'first_message' WHERE id = ?", (title_from(text), chat_id)
        )
    answer = add_answer(connection, NewAnswer(chat_id=chat_id, parent_id=user_id, model=model, wish=wish))
    return message(connection, chat_id, user_id), answer


def add_answer(connection: sqlite3.Connection, new: NewAnswer) -> ChatMessage:
    """An empty answer in state "streaming", a new version beside those that its parent has; the new active leaf.

    The chat stays with the answer's model.
    """
    answer_id = _insert(
        connection,
        chat_id=new.chat_id,
        parent_id=new.parent_id,
        role="assistant",
        text="",
        state="streaming",
        model=new.model,
        wish=to_json(new.wish),
    )
    connection.execute(
        "UPDATE chats SET active_leaf = ?, model = ?, updated_at = ? WHERE id = ?",
        (answer_id, new.model, time.time(), new.chat_id),
    )
    return message(connection, new.chat_id, answer_id)


def reopen_answer(connection: sqlite3.Connection, chat_id: str, message_id: str, model: str) -> ChatMessage:
    """Put a finished answer back into state "streaming", to be continued where it ends."""
    connection.execute(
        "UPDATE messages SET state = 'streaming', error = NULL, model = ? WHERE id = ?", (model, message_id)
    )
    connection.execute("UPDATE chats SET updated_at = ? WHERE id = ?", (time.time(), chat_id))
    return message(connection, chat_id, message_id)


def save_text(connection: sqlite3.Connection, message_id: str, text: str, reasoning: str) -> None:
    """Keep the text so far of an answer that is being written."""
    connection.execute("UPDATE messages SET text = ?, reasoning = ? WHERE id = ?", (text, reasoning, message_id))


def finish_answer(
    connection: sqlite3.Connection,
    message_id: str,
    *,
    text: str,
    reasoning: str,
    state: MessageState,
    stats: MessageStats | None,
    error: ErrorBody | None,
) -> None:
    """The answer as it ended."""
    connection.execute(
        "UPDATE messages SET text = ?, reasoning = ?, state = ?, stats = ?, error = ? WHERE id = ?",
        (text, reasoning, state, stats and to_json(stats), error and to_json(error), message_id),
    )


def interrupt_unfinished(connection: sqlite3.Connection) -> int:
    """At the start of the service nothing can be streaming: what says so was cut off. Returns how many."""
    return connection.execute("UPDATE messages SET state = 'interrupted' WHERE state = 'streaming'").rowcount


def activate_branch(connection: sqlite3.Connection, chat_id: str, message_id: str) -> Chat:
    """Make the newest branch through this message the active one. Raises ChatMissing, MessageMissing."""
    summary(connection, chat_id)
    leaf = message(connection, chat_id, message_id).id
    children = _versions(connection, chat_id)
    while leaf in children:
        leaf = children[leaf][-1]
    connection.execute("UPDATE chats SET active_leaf = ? WHERE id = ?", (leaf, chat_id))
    return chat(connection, chat_id)


def _versions(connection: sqlite3.Connection, chat_id: str) -> dict[str | None, tuple[str, ...]]:
    """Ids of the children of every message (None: of the chat itself), oldest first."""
    found: dict[str | None, list[str]] = {}
    for parent_id, child in connection.execute(
        "SELECT parent_id, id FROM messages WHERE chat_id = ? ORDER BY number", (chat_id,)
    ):
        found.setdefault(parent_id, []).append(child)
    return {parent_id: tuple(children) for parent_id, children in found.items()}


def _insert(
    connection: sqlite3.Connection,
    *,
    chat_id: str,
    parent_id: str | None,
    role: Role,
    text: str,
    state: MessageState,
    model: str = "",
    wish: str = "{}",
) -> str:
    message_id = uuid.uuid4().hex
    connection.execute(
        "INSERT INTO messages (id, chat_id, parent_id, role, text, state, model, wish, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (message_id, chat_id, parent_id, role, text, state, model, wish, time.time()),
    )
    return message_id


def _summary(row: tuple[Any, ...]) -> ChatSummary:
    chat_id, title, model, created_at, updated_at, busy = row
    return ChatSummary(
        id=chat_id, title=title, model=model, created_at=created_at, updated_at=updated_at, busy=bool(busy)
    )


def _message(row: tuple[Any, ...], sibling_ids: tuple[str, ...]) -> ChatMessage:
    message_id, chat_id, parent_id, role, text, reasoning, state, model, created_at, stats, error = row
    return ChatMessage(
        id=message_id,
        chat_id=chat_id,
        parent_id=parent_id,
        role=role,
        text=text,
        reasoning=reasoning,
        state=state,
        model=model,
        created_at=created_at,
        sibling_ids=sibling_ids,
        stats=msgspec.json.decode(stats, type=MessageStats) if stats else None,
        error=msgspec.json.decode(error, type=ErrorBody) if error else None,
    )
