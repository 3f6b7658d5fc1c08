"""Writes the answers of chats: they go on when every window is closed, and their text is kept as it comes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from dataclasses import replace

from app.errors import ChatMissing, DataFolderUnusable, MessageMissing
from app.service.chats import store
from app.service.chats.answer import Answer
from app.service.chats.database import Database
from app.service.chats.wish import AnswerWish
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.values import ChatMessage, ErrorBody, MessageState
from app.words import error_body
from inference.values import ChatPrompt, GenerationRequest

log = logging.getLogger(__name__)

SAVE_SECONDS = 1.0
FINISH_ATTEMPTS = 3


class Answers:
    """The owner of all answers that are being written. For the service's loop only."""

    def __init__(self, database: Database, engines: Engines, events: EventBus) -> None:
        self._database = database
        self._engines = engines
        self._events = events
        self._writing: dict[str, tuple[Answer, asyncio.Task[None]]] = {}
        self._endings: dict[str, MessageState] = {}
        self._saver: asyncio.Task[None] | None = None

    def start(self, message: ChatMessage, prompt: ChatPrompt, wish: AnswerWish) -> None:
        """Begin to write this message, whose row is in state "streaming", after the text it has already."""
        answer = Answer(message.chat_id, message.id, message.text, message.reasoning)
        request = GenerationRequest(
            request_id=f"chat-{message.id}",
            chat=prompt,
            sampling=wish.sampling,
            max_tokens=wish.max_tokens,
            interactive=True,
        )
        task = asyncio.create_task(self._write(answer, message.model, request), name=f"answer {message.id}")
        self._writing[message.id] = (answer, task)
        if self._saver is None or self._saver.done():
            self._saver = asyncio.create_task(self._save_while_writing(), name="answers saver")

    def is_writing(self, message_id: str) -> bool:
        """Whether this message is being written now."""
        return message_id in self._writing

    def as_of_now(self, message: ChatMessage) -> ChatMessage:
        """The message with all text that has come so far, which the database learns a little later."""
        if message.id not in self._writing:
            return message
        answer, _ = self._writing[message.id]
        return replace(message, text=answer.text, reasoning=answer.reasoning)

    async def stop(self, message_id: str, state: MessageState = "stopped") -> None:
        """End the answer and keep its text; returns when it is kept. Does nothing when it is not being written."""
        if message_id in self._writing:
            # A task that is cancelled before its first step never gets to keep the text: let it take that step.
            await asyncio.sleep(0)
        if message_id in self._writing:
            answer, task = self._writing[message_id]
            if not answer.ended:
                self._endings.setdefault(message_id, state)
                task.cancel()
            await asyncio.wait({task})

    async def stop_chat(self, chat_id: str) -> None:
        """End all answers of a chat."""
        ids = [message_id for message_id, (answer, _) in self._writing.items() if answer.chat_id == chat_id]
        await asyncio.gather(*(self.stop(message_id) for message_id in ids))

    async def close(self) -> None:
        """End all answers as interrupted."""
        await asyncio.gather(*(self.stop(message_id, "interrupted") for message_id in list(self._writing)))
        if self._saver is not None:
            self._saver.cancel()

    async def _write(self, answer: Answer, model: str, request: GenerationRequest) -> None:
        error: ErrorBody | None = None
        try:
            async with aclosing(self._engines.generate(model, request)) as events:
                async for event in events:
                    delta = answer.take(event)
                    if delta is not None:
                        self._events.publish("delta", delta)
        except asyncio.CancelledError:
            answer.state = self._endings.get(answer.message_id, "interrupted")
        except Exception as problem:
            error = error_body(problem)
            died = error.code == "EngineDied"
            answer.state = "interrupted" if died or not answer.empty else "failed"
            log.warning("answer %s ended with %s", answer.message_id, error.code)
        answer.ended = True
        await self._finish(answer, error)

    async def _finish(self, answer: Answer, error: ErrorBody | None) -> None:
        try:
            for attempt in range(1, FINISH_ATTEMPTS + 1):
                try:
                    await self._database.run(
                        store.finish_answer,
                        answer.message_id,
                        text=answer.text,
                        reasoning=answer.reasoning,
                        state=answer.state,
                        stats=answer.stats(),
                        error=error,
                    )
                    break
                except DataFolderUnusable as problem:
                    log.error("answer %s cannot be kept (attempt %d): %s", answer.message_id, attempt, problem.reason)
                    await asyncio.sleep(0.5 * attempt)
        finally:
            del self._writing[answer.message_id]
            self._endings.pop(answer.message_id, None)
        with suppress(ChatMissing, MessageMissing, DataFolderUnusable):  # deleted meanwhile, or the disk is gone
            self._events.publish("message", await self._database.run(store.message, answer.chat_id, answer.message_id))
            self._events.publish("chat", await self._database.run(store.summary, answer.chat_id))

    async def _save_while_writing(self) -> None:
        while self._writing:
            await asyncio.sleep(SAVE_SECONDS)
            for answer, _ in list(self._writing.values()):
                if answer.unsaved and not answer.ended:
                    text, reasoning = answer.text, answer.reasoning
                    try:
                        await self._database.run(store.save_text, answer.message_id, text, reasoning)
                        answer.saved_characters = len(text) + len(reasoning)
                    except DataFolderUnusable as problem:
                        log.error("answer %s cannot be saved: %s", answer.message_id, problem.reason)
