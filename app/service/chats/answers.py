"""Writes the answers of chats: they go on when every window is closed, and their text is kept as it comes."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import aclosing
from dataclasses import replace

from app.errors import ChatMissing, DataFolderUnusable, MessageMissing
from app.service.chats import store
from app.service.chats.answer import Answer
from app.service.chats.database import Database
from app.service.chats.wish import AnswerWish
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.values import ChatMessage, MessageState
from app.words import error_body
from inference.values import ChatPrompt, GenerationRequest

log = logging.getLogger(__name__)

SAVE_SECONDS = 1.0


class Answers:
    """The owner of all answers that are being written. For the service's loop only."""

    def __init__(self, database: Database, engines: Engines, events: EventBus) -> None:
        self._database = database
        self._engines = engines
        self._events = events
        self._writing: dict[str, tuple[Answer, asyncio.Task[None]]] = {}
        self._endings: dict[str, MessageState] = {}
        # Ended, but the disk would not take them yet.
        self._unkept: dict[str, Answer] = {}
        self._saver: asyncio.Task[None] | None = None

    def start(self, message: ChatMessage, prompt: ChatPrompt, wish: AnswerWish) -> None:
        """Begin to write this message, whose row is in state "streaming", after the text it has already."""
        answer = Answer(message.chat_id, message.id, message.text, message.reasoning)
        request = GenerationRequest(
            # A message that is continued is a new request: the old one's last event may still be on its way.
            request_id=uuid.uuid4().hex,
            chat=prompt,
            sampling=wish.sampling,
            max_tokens=wish.max_tokens,
            interactive=True,
        )
        task = asyncio.create_task(self._write(answer, message.model, request), name=f"answer {message.id}")
        self._writing[message.id] = (answer, task)
        if self._saver is None or self._saver.done():
            self._saver = asyncio.create_task(self._save_now_and_then(), name="answers saver")

    def is_writing(self, message_id: str) -> bool:
        """Whether this message is being written now."""
        return message_id in self._writing

    def as_of_now(self, message: ChatMessage) -> ChatMessage:
        """The message with all text that has come so far, which the database learns a little later."""
        if message.id in self._writing:
            answer, _ = self._writing[message.id]
            return replace(message, text=answer.text, reasoning=answer.reasoning)
        if message.id in self._unkept:
            answer = self._unkept[message.id]
            return replace(
                message, text=answer.text, reasoning=answer.reasoning, state=answer.state, error=answer.error
            )
        return message

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
        for answer in self._unkept.values():
            await self._keep(answer)

    async def _write(self, answer: Answer, model: str, request: GenerationRequest) -> None:
        try:
            async with aclosing(self._engines.generate(model, request)) as events:
                async for event in events:
                    delta = answer.take(event)
                    if delta is not None:
                        self._events.publish("delta", delta)
        except asyncio.CancelledError:
            answer.state = self._endings.get(answer.message_id, "interrupted")
        except Exception as problem:
            answer.error = error_body(problem)
            died = answer.error.code == "EngineDied"
            answer.state = "interrupted" if died or not answer.empty else "failed"
            log.warning("answer %s ended with %s", answer.message_id, answer.error.code)
        answer.ended = True
        await self._finish(answer)

    async def _finish(self, answer: Answer) -> None:
        """Keep the answer as it ended; when the disk refuses, it waits in memory and is tried again."""
        if not await self._keep(answer):
            self._unkept[answer.message_id] = answer
        del self._writing[answer.message_id]
        self._endings.pop(answer.message_id, None)

    async def _keep(self, answer: Answer) -> bool:
        try:
            await self._database.run(
                store.finish_answer,
                answer.message_id,
                text=answer.text,
                reasoning=answer.reasoning,
                state=answer.state,
                stats=answer.stats(),
                error=answer.error,
            )
            message = await self._database.run(store.message, answer.chat_id, answer.message_id)
            summary = await self._database.run(store.summary, answer.chat_id)
        except DataFolderUnusable as problem:
            log.error("answer %s cannot be kept: %s", answer.message_id, problem.reason)
            return False
        except (ChatMissing, MessageMissing):  # deleted meanwhile
            return True
        self._events.publish("message", message)
        self._events.publish("chat", summary)
        return True

    async def _save_now_and_then(self) -> None:
        while self._writing or self._unkept:
            await asyncio.sleep(SAVE_SECONDS)
            for answer, _ in list(self._writing.values()):
                if answer.unsaved and not answer.ended:
                    await self._save(answer)
            for answer in list(self._unkept.values()):
                if await self._keep(answer):
                    del self._unkept[answer.message_id]

    async def _save(self, answer: Answer) -> None:
        text, reasoning = answer.text, answer.reasoning
        try:
            await self._database.run(store.save_text, answer.message_id, text, reasoning)
            answer.saved_characters = len(text) + len(reasoning)
        except DataFolderUnusable as problem:
            log.error("answer %s cannot be saved: %s", answer.message_id, problem.reason)
