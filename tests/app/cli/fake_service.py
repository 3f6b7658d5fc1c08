"""A service for the terminal's tests: speaks the admin API inside the process, without a socket."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import httpx

from app.client.http import ServiceClient
from app.values import (
    Chat,
    ChatMessage,
    ChatSummary,
    EngineStatus,
    FetchStatus,
    LocalModel,
    PlanChange,
    ServiceStatus,
    StarterOffer,
)

MODEL = LocalModel(
    id="qwen2.5-coder-0.5b",
    name="Qwen2.5 Coder 0.5B",
    path="/models/q.gguf",
    size_bytes=491_400_064,
    architecture="qwen2",
    quantization="Q4_K_M",
    trained_context_tokens=32_768,
    licence="Apache-2.0",
    added_at=1.0,
)
ENGINE = EngineStatus(
    model=MODEL.id,
    name=MODEL.name,
    state="ready",
    pid=77,
    load_fraction=1.0,
    context_tokens=4096,
    running_requests=1,
    waiting_requests=2,
    tokens_per_second=31.25,
    memory_bytes=300_000_000,
    restarts=0,
)
SMALL = StarterOffer(
    key="small",
    name="Coder 0.5B",
    size_bytes=491_400_064,
    needed_memory_bytes=800_000_000,
    licence="Apache-2.0",
    fits=True,
    installed=False,
    recommended=False,
)
LARGE = replace(SMALL, key="large", name="Coder 1.5B", size_bytes=1_117_320_768, recommended=True)


class FakeService:
    """Answers every message with `answer`, piece by piece; what was asked of it is in `requests`."""

    def __init__(self) -> None:
        self.models: list[LocalModel] = [MODEL]
        self.engines: list[EngineStatus] = [ENGINE]
        self.load_changes: tuple[PlanChange, ...] = ()
        self.offers = [LARGE, SMALL]
        self.fetch_states: list[FetchStatus] = []
        self.answer = ["春眠", "不觉晓"]
        self.message: ChatMessage | None = None
        self.requests: list[tuple[str, str, Any]] = []
        self.events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.completions_closed = 0
        self.withheld_deltas = 0
        self.hold_answer = False
        self._number = 0

    def client(self) -> ServiceClient:
        return ServiceClient("http://127.0.0.1:11466", "t0ken", transport=httpx.MockTransport(self._handle))

    def asked(self, method: str, route: str) -> list[Any]:
        """Bodies of the requests to a route."""
        return [body for one, path, body in self.requests if (one, path) == (method, route)]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        route = request.url.path.removeprefix("/liangli/v1")
        body: Any = json.loads(request.content) if request.content else None
        self.requests.append((request.method, route, body))
        match request.method, route.strip("/").split("/"):
            case "GET", ["status"]:
                return _json(self._status())
            case "GET", ["models"]:
                return httpx.Response(200, json=[asdict(model) for model in self.models])
            case "POST", ["models", "import"]:
                return _json(replace(MODEL, id="imported", path=body["path"]))
            case "POST", ["engines", "load"]:
                return _json(replace(ENGINE, model=body["model"], changes=self.load_changes))
            case "GET", ["starter"]:
                return httpx.Response(200, json=[asdict(offer) for offer in self.offers])
            case "POST", ["starter", "fetch"]:
                self.models = [MODEL]
                return _json(self.fetch_states.pop(0))
            case "GET", ["starter", "fetch"]:
                return httpx.Response(200, json=[asdict(self.fetch_states.pop(0))])
            case "GET", ["events"]:
                return httpx.Response(200, content=self._event_stream())
            case "POST", ["v1", "chat", "completions"]:
                return httpx.Response(200, stream=_Completion(self))
            case "POST", ["chats"]:
                return _json(self._chat())
            case "GET", ["chats", _]:
                return _json(self._chat())
            case "PATCH", ["chats", _]:
                return _json(self._chat())
            case "POST", ["chats", _, "messages"]:
                return httpx.Response(
                    202, json={"user": asdict(_message("user", body["text"])), "assistant": self._begin()}
                )
            case "POST", ["chats", _, "regenerate"]:
                return httpx.Response(202, json=self._begin())
            case "POST", ["chats", _, "stop"]:
                assert self.message is not None
                self.message = replace(self.message, text=self.answer[0], state="stopped")
                return _json(self.message)
        return httpx.Response(200, json={})

    def _status(self) -> ServiceStatus:
        return ServiceStatus(
            version="1",
            pid=2**22 + 1,  # above Linux's largest process id: this one has ended
            base_url="http://127.0.0.1:11466",
            data_folder="/data",
            engines=tuple(self.engines),
            total_memory_bytes=16_000_000_000,
            available_memory_bytes=8_000_000_000,
            service_memory_bytes=90_000_000,
        )

    def _chat(self) -> Chat:
        summary = ChatSummary(id="c", title="春/晓?", model=MODEL.id, created_at=0, updated_at=0, busy=False)
        messages = (_message("user", "背诗"), self.message) if self.message else ()
        return Chat(summary=summary, system_prompt="只说中文", messages=messages)

    def _begin(self) -> dict[str, Any]:
        """Start an answer: its deltas and its end are put on the event stream at once, or withheld."""
        self.message = _message("assistant", "", state="streaming")
        begun = asdict(self.message)
        if self.hold_answer:
            return begun
        offset = 0
        for index, piece in enumerate(self.answer):
            delta = {
                "chat_id": "c",
                "message_id": "m",
                "offset": offset,
                "text": piece,
                "reasoning_offset": 0,
                "reasoning": "",
            }
            if index >= self.withheld_deltas:
                self._emit("delta", delta)
            offset += len(piece)
        self.message = replace(self.message, text="".join(self.answer), state="complete")
        self._emit("message", asdict(self.message))
        return begun

    def _emit(self, kind: str, data: dict[str, Any]) -> None:
        self._number += 1
        self.events.put({"number": self._number, "kind": kind, "data": data})

    def _event_stream(self) -> Iterator[bytes]:
        while (event := self.events.get()) is not None:
            yield f"id: {event['number']}\ndata: {json.dumps(event)}\n\n".encode()


class _Completion(httpx.SyncByteStream):
    """A streamed answer that notes when its reader lets go of it."""

    def __init__(self, service: FakeService) -> None:
        self._service = service

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._service.answer:
            yield _sse({"choices": [{"delta": {"content": piece}}]})
        yield _sse({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        yield _sse({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
        yield b"data: [DONE]\n\n"

    def close(self) -> None:
        self._service.completions_closed += 1


def fetch_status(state: Any, received: int = 0, **fields: Any) -> FetchStatus:
    return FetchStatus(
        key="small",
        state=state,
        received_bytes=received,
        total_bytes=100,
        bytes_per_second=1.0,
        source="ModelScope",
        **fields,
    )


def _message(role: Any, text: str, state: Any = "complete") -> ChatMessage:
    return ChatMessage(
        id="m" if role == "assistant" else "u",
        chat_id="c",
        parent_id=None,
        role=role,
        text=text,
        reasoning="",
        state=state,
        model=MODEL.id,
        created_at=0,
        sibling_ids=("m",),
    )


def _sse(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _json(value: Any) -> httpx.Response:
    return httpx.Response(200, json=asdict(value))
