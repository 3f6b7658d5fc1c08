"""A conversation in the terminal: its chat in the service, and answers as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from app.cli.answer_text import AnswerText, Piece
from app.cli.event_feed import EventFeed
from app.values import Chat, ChatMessage, Event, PlanChange

if TYPE_CHECKING:
    from app.client.http import ServiceClient

# Without any event for so long the service is asked: an event may have been lost with its connection.
QUIET_SECONDS = 2.0


class Conversation:
    """The chat is made with its first message, so that looking in leaves nothing behind."""

    def __init__(self, client: ServiceClient, model: str, system_prompt: str) -> None:
        self.model = model
        self.system_prompt = system_prompt
        self._client = client
        self._feed = EventFeed(client)
        self._chat_id: str | None = None

    def close(self) -> None:
        self._feed.close()

    def begin_anew(self) -> None:
        """The next message starts another chat."""
        self._chat_id = None

    def use_model(self, model: str) -> None:
        self.model = model
        if self._chat_id is not None:
            self._client.update_chat(self._chat_id, model=model)

    def use_system_prompt(self, system_prompt: str) -> None:
        self.system_prompt = system_prompt
        if self._chat_id is not None:
            self._client.update_chat(self._chat_id, system_prompt=system_prompt)

    def chat(self) -> Chat | None:
        """The chat as the service has it, None before the first message."""
        return None if self._chat_id is None else self._client.chat(self._chat_id)

    def send(self, text: str) -> ChatMessage:
        """Send a message; returns the answer that begins to be written."""
        if self._chat_id is None:
            chat = self._client.create_chat(model=self.model, system_prompt=self.system_prompt or None)
            self._chat_id = chat.summary.id
        return self._client.send_message(self._chat_id, text, model=self.model).assistant

    def regenerate(self) -> ChatMessage | None:
        """Begin another version of the last answer; None when there is none."""
        chat = self.chat()
        answers = [message for message in chat.messages if message.role == "assistant"] if chat else []
        return self._client.regenerate(answers[-1].chat_id, answers[-1].id) if answers else None

    def follow(self, answer: ChatMessage, shown: AnswerText) -> Iterator[Piece | PlanChange | ChatMessage]:
        """What of the answer is not in `shown` yet, piece by piece as it is written, and last the finished message.

        In between, what was lowered for the chat's model when memory ran out.
        """
        yield shown.catch_up(answer)
        while answer.state == "streaming":
            event = self._feed.next(QUIET_SECONDS)
            piece: Piece | None = None
            match event:
                case Event(kind="delta", data={"message_id": answer.id}):
                    piece = shown.add_delta(event.data)
                case Event(kind="message", data={"id": answer.id}):
                    answer = msgspec.convert(event.data, ChatMessage)
                    piece = shown.catch_up(answer)
                case Event(kind="plan_changed", data={"model": self.model}):
                    yield msgspec.convert(event.data["change"], PlanChange)
                    continue
                case Event():
                    continue
            if piece is None:
                answer = self._ask(answer)
                piece = shown.catch_up(answer)
            yield piece
        yield answer

    def stop(self, answer: ChatMessage) -> None:
        """Stop an answer; `follow` it on for what it came to."""
        self._client.stop_message(answer.chat_id, answer.id)

    def _ask(self, answer: ChatMessage) -> ChatMessage:
        chat = self._client.chat(answer.chat_id)
        return next((message for message in chat.messages if message.id == answer.id), answer)
