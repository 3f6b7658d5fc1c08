"""What can be done with chats: the one way to them for every route of the API."""

from __future__ import annotations

from dataclasses import replace

from app.errors import BadRequest, ChatBusy
from app.service.chats import store
from app.service.chats.answers import Answers
from app.service.chats.database import Database
from app.service.chats.prompt import chat_prompt
from app.service.chats.wish import AnswerWish
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.values import Chat, ChatMessage, ChatSummary, MessagePrompt


class Chats:
    """For the service's loop only. Every method raises ChatMissing, MessageMissing and DataFolderUnusable."""

    def __init__(self, database: Database, engines: Engines, events: EventBus) -> None:
        self._database = database
        self._engines = engines
        self._events = events
        self._answers = Answers(database, engines, events)

    async def list(self) -> tuple[ChatSummary, ...]:
        """All chats, the one changed last first."""
        return await self._database.run(store.summaries)

    async def get(self, chat_id: str) -> Chat:
        """A chat with its active branch and all text that has come so far."""
        return self._as_of_now(await self._database.run(store.chat, chat_id))

    async def create(self, *, title: str, model: str, system_prompt: str) -> Chat:
        """A new, empty chat."""
        chat = await self._database.run(store.add_chat, title, model, system_prompt)
        self._events.publish("chat", chat.summary)
        return chat

    async def change(self, chat_id: str, *, title: str | None, model: str | None, system_prompt: str | None) -> Chat:
        """Change what is not None."""
        chat = await self._database.run(
            store.change_chat, chat_id, title=title, model=model, system_prompt=system_prompt
        )
        self._events.publish("chat", chat.summary)
        return self._as_of_now(chat)

    async def delete(self, chat_id: str) -> None:
        """Remove a chat; its answers that are being written end first."""
        await self._answers.stop_chat(chat_id)
        await self._database.run(store.delete_chat, chat_id)
        self._events.publish("chat_deleted", {"id": chat_id})

    async def send_at_end(
        self, chat_id: str, text: str, model: str | None, wish: AnswerWish
    ) -> tuple[ChatMessage, ChatMessage]:
        """Like `send`, after the last message of the active branch."""
        leaf = await self._database.run(store.active_leaf, chat_id)
        return await self.send(chat_id, leaf, text, model, wish)

    async def send(
        self, chat_id: str, parent_id: str | None, text: str, model: str | None, wish: AnswerWish
    ) -> tuple[ChatMessage, ChatMessage]:
        """Keep the user's message, then begin the answer; returns both. parent_id None: another first message.

        Raises ChatBusy when the parent is still being written, ModelMissing, NoModelInstalled; nothing is kept then.
        """
        model_id = await self._model(chat_id, model)
        user, answer = await self._database.run(store.add_user_message, chat_id, parent_id, text, model_id, wish)
        self._events.publish("message", user)
        await self._begin(answer, wish)
        return user, answer

    async def regenerate(self, chat_id: str, message_id: str) -> ChatMessage:
        """Begin another version of an answer (or the first one to a user's message), written in the same way."""
        message = await self._database.run(store.message, chat_id, message_id)
        parent_id = message.id if message.role == "user" else message.parent_id
        if parent_id is None:
            raise BadRequest(field="message_id", problem="there is no question before this message")
        wish = (await self._database.run(store.wish, message_id)).without_seed()
        new = store.NewAnswer(chat_id=chat_id, parent_id=parent_id, model=await self._model(chat_id), wish=wish)
        answer = await self._database.run(store.add_answer, new)
        await self._begin(answer, wish)
        return answer

    async def go_on(self, chat_id: str, message_id: str) -> ChatMessage:
        """Go on writing an answer where it ends. Raises ChatBusy while it is being written."""
        message = await self._database.run(store.message, chat_id, message_id)
        if message.role != "assistant":
            raise BadRequest(field="message_id", problem="only an answer can be continued")
        if self._answers.is_writing(message_id):
            raise ChatBusy(chat_id=chat_id)
        wish = await self._database.run(store.wish, message_id)
        model_id = await self._model(chat_id)
        answer = await self._database.run(store.reopen_answer, chat_id, message_id, model_id)
        await self._begin(answer, wish, continue_last=bool(answer.text or answer.reasoning))
        return answer

    async def stop(self, chat_id: str, message_id: str) -> ChatMessage:
        """End an answer; its text stays. An answer that has ended already is returned as it is."""
        await self._database.run(store.message, chat_id, message_id)
        await self._answers.stop(message_id)
        return await self._database.run(store.message, chat_id, message_id)

    async def prompt(self, chat_id: str, message_id: str) -> MessagePrompt:
        """What the model read before it wrote this answer, or would read after this question, as it is loaded now.

        Raises ModelNotLoaded, TemplateMissing, TemplateFailed.
        """
        message = await self._database.run(store.message, chat_id, message_id)
        chat = await self._database.run(store.chat, chat_id)
        is_answer = message.role == "assistant"
        wish = await self._database.run(store.wish, message_id) if is_answer else AnswerWish()
        branch = await self._database.run(store.path, chat_id, message.parent_id if is_answer else message_id)
        shown = chat_prompt(chat.system_prompt, branch, enable_thinking=wish.enable_thinking)
        return await self._engines.show_prompt((is_answer and message.model) or chat.summary.model, shown)

    async def show_branch(self, chat_id: str, message_id: str) -> Chat:
        """Make the newest branch through this message the active one."""
        chat = await self._database.run(store.activate_branch, chat_id, message_id)
        self._events.publish("chat", chat.summary)
        return self._as_of_now(chat)

    async def close(self) -> None:
        """End all answers as interrupted; their text is kept."""
        await self._answers.close()

    async def _model(self, chat_id: str, wanted: str | None = None) -> str:
        """The id of the model that is to answer: the one wanted, the chat's, or the default one."""
        summary = await self._database.run(store.summary, chat_id)
        return await self._engines.resolve(wanted or summary.model)

    async def _begin(self, answer: ChatMessage, wish: AnswerWish, *, continue_last: bool = False) -> None:
        chat = await self._database.run(store.chat, answer.chat_id)
        branch = await self._database.run(store.path, answer.chat_id, answer.id if continue_last else answer.parent_id)
        prompt = chat_prompt(
            chat.system_prompt, branch, enable_thinking=wish.enable_thinking, continue_last=continue_last
        )
        self._events.publish("message", answer)
        self._events.publish("chat", chat.summary)
        self._answers.start(answer, prompt, wish)

    def _as_of_now(self, chat: Chat) -> Chat:
        return replace(chat, messages=tuple(self._answers.as_of_now(message) for message in chat.messages))
