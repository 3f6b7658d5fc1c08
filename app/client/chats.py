"""The chats of the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.client.requests import Requests, T, given
from app.values import Chat, ChatMessage, ChatSummary, MessagePrompt


class AppendHere:
    """Type of APPEND: "after the last message of the active branch", which None (a new first message) cannot say."""


APPEND: Final = AppendHere()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What sending a message creates: the user's message, and the answer that begins to be written."""

    user: ChatMessage
    assistant: ChatMessage


class ChatsClient(Requests):
    """Chats, their messages, and the answers that are written into them."""

    def chats(self) -> list[ChatSummary]:
        """All chats, the one changed last first."""
        return self._ask("GET", "/chats", list[ChatSummary])

    def create_chat(
        self, *, title: str | None = None, model: str | None = None, system_prompt: str | None = None
    ) -> Chat:
        return self._ask("POST", "/chats", Chat, json=given(title=title, model=model, system_prompt=system_prompt))

    def chat(self, chat_id: str) -> Chat:
        return self._ask("GET", f"/chats/{chat_id}", Chat)

    def update_chat(
        self, chat_id: str, *, title: str | None = None, model: str | None = None, system_prompt: str | None = None
    ) -> Chat:
        """Change what is given."""
        body = given(title=title, model=model, system_prompt=system_prompt)
        return self._ask("PATCH", f"/chats/{chat_id}", Chat, json=body)

    def delete_chat(self, chat_id: str) -> None:
        self._send("DELETE", f"/chats/{chat_id}")

    def send_message(
        self,
        chat_id: str,
        text: str,
        *,
        parent_id: str | AppendHere | None = APPEND,
        model: str | None = None,
        sampling: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        enable_thinking: bool | None = None,
    ) -> Exchange:
        """Write the user's message and begin the answer, whose text comes over `events`.

        parent_id names the message to branch from; None makes another first message.
        """
        body = given(text=text, model=model, sampling=sampling, max_tokens=max_tokens, enable_thinking=enable_thinking)
        if not isinstance(parent_id, AppendHere):
            body["parent_id"] = parent_id
        return self._ask("POST", f"/chats/{chat_id}/messages", Exchange, json=body)

    def regenerate(self, chat_id: str, message_id: str) -> ChatMessage:
        """Begin another version of an answer."""
        return self._on_message("regenerate", chat_id, message_id, ChatMessage)

    def continue_message(self, chat_id: str, message_id: str) -> ChatMessage:
        """Go on writing a stopped, cut or interrupted answer."""
        return self._on_message("continue", chat_id, message_id, ChatMessage)

    def stop_message(self, chat_id: str, message_id: str) -> ChatMessage:
        """Stop an answer; what is written stays."""
        return self._on_message("stop", chat_id, message_id, ChatMessage)

    def show_branch(self, chat_id: str, message_id: str) -> Chat:
        """Make the branch through this message the active one."""
        return self._on_message("branch", chat_id, message_id, Chat)

    def message_prompt(self, chat_id: str, message_id: str) -> MessagePrompt:
        """What the model reads before it writes this message; needs the model to be loaded."""
        return self._ask("GET", f"/chats/{chat_id}/messages/{message_id}/prompt", MessagePrompt)

    def _on_message(self, verb: str, chat_id: str, message_id: str, answer: type[T]) -> T:
        return self._ask("POST", f"/chats/{chat_id}/{verb}", answer, json={"message_id": message_id})
