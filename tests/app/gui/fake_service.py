"""A service in the test's own process: the client's methods on plain data, with events that the test sends."""

from __future__ import annotations

import dataclasses
import queue
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from app.client.http import APPEND, AppendHere, Exchange
from app.errors import AppError, RemoteError, ServiceUnreachable
from app.plan_values import CalibrationStatus, HardwareView, LiveView, Plans, PlanWish
from app.values import (
    Chat,
    ChatMessage,
    ChatSummary,
    EngineStatus,
    ErrorBody,
    Event,
    FetchStatus,
    LocalModel,
    MessagePrompt,
    MessageState,
    MessageStats,
    ServiceStatus,
    StarterOffer,
)
from tests.app.gui.fake_models import FakeModels
from tests.app.gui.plan_samples import COMPUTER, LIVE, sample_plans

MODEL = LocalModel(
    id="qwen2.5-coder-0.5b-instruct-q4_k_m",
    name="Qwen2.5-Coder-0.5B-Instruct",
    path="/models/q.gguf",
    size_bytes=491_400_064,
    architecture="qwen2",
    quantization="Q4_K_M",
    trained_context_tokens=32_768,
    licence="apache-2.0",
    added_at=1.0,
)
SECOND_MODEL = dataclasses.replace(
    MODEL, id="qwen2.5-coder-1.5b-instruct-q4_k_m", name="Qwen2.5-Coder-1.5B-Instruct", size_bytes=1_117_320_768
)
ENGINE = EngineStatus(
    model=MODEL.id,
    name=MODEL.name,
    state="ready",
    pid=4242,
    load_fraction=1.0,
    context_tokens=8_192,
    running_requests=0,
    waiting_requests=0,
    tokens_per_second=41.8,
    memory_bytes=720_000_000,
    restarts=0,
)
OFFERS = (
    StarterOffer(
        key="qwen-0.5b",
        name="Qwen2.5-Coder-0.5B-Instruct",
        size_bytes=491_400_064,
        needed_memory_bytes=900_000_000,
        licence="Apache-2.0",
        fits=True,
        installed=False,
        recommended=True,
    ),
    StarterOffer(
        key="qwen-1.5b",
        name="Qwen2.5-Coder-1.5B-Instruct",
        size_bytes=1_117_320_768,
        needed_memory_bytes=1_900_000_000,
        licence="Apache-2.0",
        fits=True,
        installed=False,
        recommended=False,
    ),
)
STATS = MessageStats(
    prompt_tokens=2_700,
    completion_tokens=412,
    cached_tokens=0,
    first_token_seconds=0.34,
    tokens_per_second=41.8,
    seed=1,
)


def message(
    id: str,
    role: str,
    text: str,
    *,
    parent: str | None = None,
    state: MessageState = "complete",
    siblings: tuple[str, ...] = (),
    reasoning: str = "",
    stats: MessageStats | None = None,
    error: ErrorBody | None = None,
    chat: str = "c1",
) -> ChatMessage:
    """A message with the fields that a test does not care about filled in."""
    return ChatMessage(
        id=id,
        chat_id=chat,
        parent_id=parent,
        role="user" if role == "user" else "assistant",
        text=text,
        reasoning=reasoning,
        state=state,
        model=MODEL.name,
        created_at=1.0,
        sibling_ids=siblings or (id,),
        stats=stats,
        error=error,
    )


class FakeService(FakeModels):
    """One chat after another in a list; answers begin empty and grow by `say`. `calls` records what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.base_url, self.token = "http://127.0.0.1:11466", "sk-test"
        self.local_models = [MODEL]
        self.engines: list[EngineStatus] = [ENGINE]
        self.offers: list[StarterOffer] = list(OFFERS)
        self.kept: dict[str, Chat] = {}
        self.calls: list[tuple[str, Any]] = []
        self.refusal: AppError | None = None
        self.plans_refusal: AppError | None = None
        self.plan_answer: Callable[[str, PlanWish, bool], Plans] = sample_plans
        self.computer = COMPUTER
        self.connect_error: AppError | None = None
        self.connections = 0
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._number = 0

    # What a test does

    def connect(self) -> FakeService:
        if self.connect_error is not None:
            raise self.connect_error
        self.connections += 1
        return self

    def send_event(self, kind: str, value: Any) -> None:
        self._number += 1
        data = value if isinstance(value, dict) else msgspec.to_builtins(value)
        self._events.put(Event(number=self._number, kind=kind, data=data))

    def end(self) -> None:
        """End the event stream, as a service does that goes away."""
        self._events.put(None)

    def keep(self, *messages: ChatMessage, chat_id: str = "c1", title: str = "标题", updated_at: float = 1.0) -> Chat:
        """Store a chat with these messages."""
        summary = ChatSummary(
            id=chat_id, title=title, model=MODEL.id, created_at=1.0, updated_at=updated_at, busy=False
        )
        self.kept[chat_id] = Chat(summary=summary, system_prompt="", messages=messages)
        return self.kept[chat_id]

    def put(self, changed: ChatMessage) -> None:
        """Replace or append a message and report it."""
        chat = self.kept[changed.chat_id]
        others = tuple(one for one in chat.messages if one.id != changed.id)
        self.kept[changed.chat_id] = dataclasses.replace(chat, messages=(*others, changed))
        self.send_event("message", changed)

    def say(self, message_id: str, text: str, *, chat_id: str = "c1") -> None:
        """Let an answer grow and report it."""
        chat = self.kept[chat_id]
        known = next(one for one in chat.messages if one.id == message_id)
        grown = dataclasses.replace(known, text=known.text + text)
        messages = tuple(grown if one.id == message_id else one for one in chat.messages)
        self.kept[chat_id] = dataclasses.replace(chat, messages=messages)
        self.send_event(
            "delta",
            {
                "chat_id": chat_id,
                "message_id": message_id,
                "offset": len(known.text),
                "text": text,
                "reasoning_offset": 0,
                "reasoning": "",
            },
        )

    # What the window asks

    def _note(self, name: str, what: Any = None) -> None:
        self.calls.append((name, what))
        if self.refusal is not None:
            raise self.refusal

    def events(self, after: int | None = None) -> Iterator[Event]:
        def read() -> Iterator[Event]:
            while (event := self._events.get()) is not None:
                yield event
            raise ServiceUnreachable(address=self.base_url)

        return read()

    def close(self) -> None:
        pass

    def status(self, *, timeout_seconds: float = 1.0) -> ServiceStatus:
        return ServiceStatus(
            version="0",
            pid=1,
            base_url=self.base_url,
            data_folder="/data",
            engines=tuple(self.engines),
            total_memory_bytes=16_000_000_000,
            available_memory_bytes=8_800_000_000,
            service_memory_bytes=90_000_000,
        )

    def shutdown(self) -> None:
        self._note("shutdown")

    def settings(self) -> dict[str, Any]:
        return {"language": "zh", "theme": "system"}

    def update_settings(self, **changes: Any) -> dict[str, Any]:
        self._note("settings", changes)
        return self.settings() | changes

    def models(self) -> list[LocalModel]:
        return self.local_models

    def import_model(self, path: str) -> LocalModel:
        self._note("import", path)
        return SECOND_MODEL

    def load_engine(
        self, model: str, context_tokens: int | None = None, *, wish: PlanWish | None = None
    ) -> EngineStatus:
        self._note("load", model)
        if wish is not None:
            self._note("load_wish", wish)
        return dataclasses.replace(ENGINE, model=model)

    def plans(self, model: str, wish: PlanWish, *, advice: bool = True) -> Plans:
        self._note("plans", (model, wish, advice))
        if self.plans_refusal is not None:
            raise self.plans_refusal
        return self.plan_answer(model, wish, advice)

    def hardware(self) -> HardwareView:
        self._note("hardware")
        return self.computer

    def hardware_live(self) -> LiveView:
        self._note("live")
        return LIVE

    def calibration(self) -> CalibrationStatus:
        return CalibrationStatus(state="none")

    def calibrate(self) -> CalibrationStatus:
        self._note("calibrate")
        return CalibrationStatus(state="running")

    def cancel_calibration(self) -> None:
        self._note("cancel_calibration")

    def starter_offers(self) -> list[StarterOffer]:
        return self.offers

    def fetch_starter(self, key: str) -> FetchStatus:
        self._note("fetch", key)
        return FetchStatus(
            key=key, state="choosing_source", received_bytes=0, total_bytes=10, bytes_per_second=0, source=""
        )

    def cancel_fetch(self, key: str) -> None:
        self._note("cancel", key)

    def fetches(self) -> list[FetchStatus]:
        return []

    def chats(self) -> list[ChatSummary]:
        return sorted((chat.summary for chat in self.kept.values()), key=lambda summary: -summary.updated_at)

    def create_chat(
        self, *, title: str | None = None, model: str | None = None, system_prompt: str | None = None
    ) -> Chat:
        self._note("create", model)
        return self.keep(chat_id=f"c{len(self.kept) + 1}", title=title or "")

    def chat(self, chat_id: str) -> Chat:
        self._note("chat", chat_id)
        if chat_id not in self.kept:
            raise RemoteError(code="ChatMissing", fields={"chat_id": chat_id}, http_status=404)
        return self.kept[chat_id]

    def update_chat(
        self, chat_id: str, *, title: str | None = None, model: str | None = None, system_prompt: str | None = None
    ) -> Chat:
        self._note("update", (chat_id, title, model))
        chat = self.kept[chat_id]
        summary = dataclasses.replace(chat.summary, title=title or chat.summary.title)
        self.kept[chat_id] = dataclasses.replace(chat, summary=summary)
        return self.kept[chat_id]

    def delete_chat(self, chat_id: str) -> None:
        self._note("delete", chat_id)
        del self.kept[chat_id]

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
        self._note("send", (chat_id, text, parent_id))
        chat = self.kept[chat_id]
        before = chat.messages
        if not isinstance(parent_id, AppendHere):
            ids = [one.id for one in before]
            before = before[: ids.index(parent_id) + 1] if parent_id else ()
        number = len(self.calls)
        user = message(f"u{number}", "user", text, parent=before[-1].id if before else None, chat=chat_id)
        answer = message(f"a{number}", "assistant", "", parent=user.id, state="streaming", chat=chat_id)
        self.kept[chat_id] = dataclasses.replace(chat, messages=(*before, user, answer))
        return Exchange(user=user, assistant=answer)

    def regenerate(self, chat_id: str, message_id: str) -> ChatMessage:
        self._note("regenerate", message_id)
        old = next(one for one in self.kept[chat_id].messages if one.id == message_id)
        return dataclasses.replace(
            old, id=f"{message_id}b", text="", state="streaming", sibling_ids=(message_id, f"{message_id}b")
        )

    def continue_message(self, chat_id: str, message_id: str) -> ChatMessage:
        self._note("continue", message_id)
        return self._changed(chat_id, message_id, "streaming")

    def message_prompt(self, chat_id: str, message_id: str) -> MessagePrompt:
        self._note("message_prompt", message_id)
        return MessagePrompt(model="fake", text="<|user|>", prompt_tokens=3, chat_profile=None)

    def stop_message(self, chat_id: str, message_id: str) -> ChatMessage:
        self._note("stop", message_id)
        return self._changed(chat_id, message_id, "stopped")

    def _changed(self, chat_id: str, message_id: str, state: MessageState) -> ChatMessage:
        old = next(one for one in self.kept[chat_id].messages if one.id == message_id)
        self.put(dataclasses.replace(old, state=state))
        return dataclasses.replace(old, state=state)

    def show_branch(self, chat_id: str, message_id: str) -> Chat:
        self._note("branch", message_id)
        return self.kept[chat_id]
