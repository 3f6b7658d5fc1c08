"""The service's admin API as typed Python calls, one method per route, for the window and the terminal alike."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from app.client.sse import parse_events
from app.download_values import DownloadStatus
from app.errors import RemoteError, ServiceUnreachable, Unauthorized
from app.plan_values import CalibrationStatus, HardwareView, LiveView, Plans, PlanWish
from app.values import (
    Chat,
    ChatMessage,
    ChatSummary,
    EngineStatus,
    Event,
    FetchStatus,
    ImportReport,
    Language,
    LibraryWork,
    LocalModel,
    ModelRemoval,
    ServiceStatus,
    StarterOffer,
)

T = TypeVar("T")

ADMIN: Final = "/liangli/v1"
# A loopback service accepts at once or not at all; answers may wait for the disk, and loading a model for minutes.
CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 60.0
LOAD_SECONDS: Final = 1_800.0
# A window that closes waits for this answer: a hanging service must not keep it open.
SHUTDOWN_SECONDS: Final = 5.0
# The event stream sends a comment each 10 s: three missed ones mean that the service hangs.
SILENCE_SECONDS: Final = 30.0


class AppendHere:
    """Type of APPEND: "after the last message of the active branch", which None (a new first message) cannot say."""


APPEND: Final = AppendHere()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What sending a message creates: the user's message, and the answer that begins to be written."""

    user: ChatMessage
    assistant: ChatMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts of one completion."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionChunk:
    """A piece of a streamed completion. finish_reason and usage are set once, at the end."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


class ServiceClient:
    """Speaks to one running service; may be used from several threads.

    Every method raises ServiceUnreachable when nothing answers, Unauthorized for a wrong token, and RemoteError with
    the service's own error code and fields for everything that it refuses.
    """

    def __init__(
        self, base_url: str, token: str, language: Language = "en", *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token
        # trust_env: a proxy of the environment must not get the requests to this very computer.
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {token}", "Accept-Language": language},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            # Plain HTTP to loopback: a list of certificate authorities would be read (45 ms) and never used.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connections; the client is of no use afterwards."""
        self._http.close()

    # The service itself

    def status(self, *, timeout_seconds: float = ANSWER_SECONDS) -> ServiceStatus:
        return self._ask("GET", "/status", ServiceStatus, timeout_seconds=timeout_seconds)

    def shutdown(self) -> None:
        """Ask the service to end; it answers before it does."""
        self._send("POST", "/shutdown", timeout_seconds=SHUTDOWN_SECONDS)

    def settings(self) -> dict[str, Any]:
        return self._ask("GET", "/settings", dict[str, Any])

    def update_settings(self, **changes: Any) -> dict[str, Any]:
        """Change some settings; returns all of them."""
        return self._ask("PATCH", "/settings", dict[str, Any], json=changes)

    # Models and engines

    def models(self) -> list[LocalModel]:
        return self._ask("GET", "/models", list[LocalModel])

    def import_model(self, path: str) -> LocalModel:
        """Add a GGUF file by its absolute path on this computer."""
        return self._ask("POST", "/models/import", LocalModel, json={"path": path}, timeout_seconds=LOAD_SECONDS)

    def import_folder(self, path: str) -> ImportReport:
        """Use all models in a folder where they lie; absolute path."""
        return self._ask(
            "POST", "/models/import/folder", ImportReport, json={"path": path}, timeout_seconds=LOAD_SECONDS
        )

    def copy_model(self, path: str) -> LibraryWork:
        """Begin to copy a model's files into the models folder; reported by "library_work" events."""
        return self._ask("POST", "/models/import/copy", LibraryWork, json={"path": path})

    def model_removal(self, model: str) -> ModelRemoval:
        """What removing the model with this id would delete and free."""
        return self._ask("GET", f"/models/{quote(model, safe='')}/removal", ModelRemoval)

    def remove_model(self, model: str) -> ModelRemoval:
        """Delete a model of the models folder; take one from elsewhere off the list."""
        return self._ask("DELETE", f"/models/{quote(model, safe='')}", ModelRemoval, timeout_seconds=LOAD_SECONDS)

    def verify_model(self, model: str) -> LibraryWork:
        """Begin to read and judge a model's files; reported by "library_work" events."""
        return self._ask("POST", f"/models/{quote(model, safe='')}/verify", LibraryWork)

    def compare_models(self) -> LibraryWork:
        """Begin to compare models of equal size; reported by "library_work" events."""
        return self._ask("POST", "/library/compare", LibraryWork)

    def move_library(self, folder: str) -> LibraryWork:
        """Begin to move the models folder; absolute path. Reported by "library_work" events."""
        return self._ask("POST", "/library/move", LibraryWork, json={"folder": folder})

    def library_works(self) -> list[LibraryWork]:
        """What is being done with model files, and what was."""
        return self._ask("GET", "/library/work", list[LibraryWork])

    def cancel_library_work(self, key: str) -> None:
        self._send("POST", "/library/cancel", json={"key": key}, timeout_seconds=LOAD_SECONDS)

    def load_engine(
        self, model: str, context_tokens: int | None = None, *, wish: PlanWish | None = None
    ) -> EngineStatus:
        """Load a model and return when it is ready, which can take minutes. wish: numbers that its plan has to keep,
        and no others."""
        fixed = wish or PlanWish(context=context_tokens)
        body = _given(model=model, exactly=True if wish else None, **_engine_wish(fixed))
        return self._ask("POST", "/engines/load", EngineStatus, json=body, timeout_seconds=LOAD_SECONDS)

    def unload_engine(self, model: str) -> None:
        self._send("POST", "/engines/unload", json={"model": model})

    def plans(self, model: str, wish: PlanWish, *, advice: bool = True) -> Plans:
        """Plans for a model, by whatever name; one that is not here may have to be read from the network."""
        body = {"model": model, "advice": advice} | msgspec.to_builtins(wish)
        return self._ask("POST", "/plans", Plans, json=body, timeout_seconds=LOAD_SECONDS)

    def hardware(self) -> HardwareView:
        return self._ask("GET", "/hardware", HardwareView)

    def hardware_live(self) -> LiveView:
        return self._ask("GET", "/hardware/live", LiveView)

    def calibration(self) -> CalibrationStatus:
        return self._ask("GET", "/hardware/calibrate", CalibrationStatus)

    def calibrate(self) -> CalibrationStatus:
        """Begin to measure this computer's speed; events tell how it goes."""
        return self._ask("POST", "/hardware/calibrate", CalibrationStatus)

    def cancel_calibration(self) -> None:
        self._send("DELETE", "/hardware/calibrate")

    def starter_offers(self) -> list[StarterOffer]:
        return self._ask("GET", "/starter", list[StarterOffer])

    def fetch_starter(self, key: str) -> FetchStatus:
        """Begin a download; it goes on by itself and is reported by "fetch" events."""
        return self._ask("POST", "/starter/fetch", FetchStatus, json={"key": key})

    def cancel_fetch(self, key: str) -> None:
        self._send("POST", "/starter/cancel", json={"key": key})

    def fetches(self) -> list[FetchStatus]:
        return self._ask("GET", "/starter/fetch", list[FetchStatus])

    def downloads(self) -> list[DownloadStatus]:
        """The queue in its order, and what ended since the service started."""
        return self._ask("GET", "/downloads", list[DownloadStatus])

    def add_download(
        self, model: str, sources: Sequence[str] = (), endpoints: Mapping[str, str] | None = None
    ) -> DownloadStatus:
        """Put a model in the queue, or let it go on; it is reported by "download" events.

        endpoints: HF_ENDPOINT, HF_TOKEN and MODELSCOPE_ENDPOINT of this process, which the service's may lack.
        """
        body = {"model": model, "sources": list(sources), "endpoints": dict(endpoints or {})}
        return self._ask("POST", "/downloads", DownloadStatus, json=body, timeout_seconds=LOAD_SECONDS)

    def pause_download(self, download_id: str) -> DownloadStatus:
        return self._ask("POST", f"/downloads/{download_id}/pause", DownloadStatus)

    def resume_download(self, download_id: str) -> DownloadStatus:
        return self._ask("POST", f"/downloads/{download_id}/resume", DownloadStatus)

    def cancel_download(self, download_id: str) -> None:
        """Take a download out of the queue; what arrived of an unfinished one is deleted."""
        self._send("POST", f"/downloads/{download_id}/cancel")

    def move_download(self, download_id: str, position: int) -> list[DownloadStatus]:
        """Give a download another place in the queue, 0 the first; returns the queue."""
        return self._ask("POST", f"/downloads/{download_id}/order", list[DownloadStatus], json={"position": position})

    # Chats

    def chats(self) -> list[ChatSummary]:
        """All chats, the one changed last first."""
        return self._ask("GET", "/chats", list[ChatSummary])

    def create_chat(
        self, *, title: str | None = None, model: str | None = None, system_prompt: str | None = None
    ) -> Chat:
        return self._ask("POST", "/chats", Chat, json=_given(title=title, model=model, system_prompt=system_prompt))

    def chat(self, chat_id: str) -> Chat:
        return self._ask("GET", f"/chats/{chat_id}", Chat)

    def update_chat(
        self, chat_id: str, *, title: str | None = None, model: str | None = None, system_prompt: str | None = None
    ) -> Chat:
        """Change what is given."""
        body = _given(title=title, model=model, system_prompt=system_prompt)
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
        body = _given(text=text, model=model, sampling=sampling, max_tokens=max_tokens, enable_thinking=enable_thinking)
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

    # Streams

    def events(self, after: int | None = None) -> Iterator[Event]:
        """Everything that happens, as it happens; `after`: the last number already seen.

        The stream is open when this returns: nothing that happens later is missed. The iterator ends when the service
        closes the stream, and raises ServiceUnreachable when it breaks or falls silent: then reconnect.
        """
        request = self._http.build_request(
            "GET",
            f"{ADMIN}/events",
            headers={"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": str(after)}),
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
        )
        return (msgspec.json.decode(data, type=Event) for data in self._read(self._open(request)))

    def chat_completion(
        self, model: str, messages: list[dict[str, Any]], **parameters: Any
    ) -> Generator[CompletionChunk, None, None]:
        """Stream one answer over the OpenAI route, outside of any stored chat; closing the iterator cancels it.

        `parameters` are further fields of the request body (temperature, seed, max_tokens, enable_thinking, …).
        """
        body = {
            "model": model,
            "messages": messages,
            **parameters,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        # Reading a long prompt takes minutes on a slow computer, and nothing is sent meanwhile.
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        request = self._http.build_request("POST", "/v1/chat/completions", json=body, timeout=timeout)
        for data in self._read(self._open(request)):
            if data == "[DONE]":
                return
            yield _completion_chunk(msgspec.json.decode(data))

    # How it is sent

    def _on_message(self, verb: str, chat_id: str, message_id: str, answer: type[T]) -> T:
        return self._ask("POST", f"/chats/{chat_id}/{verb}", answer, json={"message_id": message_id})

    def _ask(self, method: str, route: str, answer: type[T], **options: Any) -> T:
        try:
            return msgspec.json.decode(self._send(method, route, **options).content, type=answer)
        except msgspec.MsgspecError as error:
            raise RemoteError(
                code="UnexpectedError", fields={"detail": f"{route}: {error}"}, http_status=200
            ) from error

    def _send(
        self, method: str, route: str, *, json: Any = None, timeout_seconds: float | None = None
    ) -> httpx.Response:
        timeout = httpx.Timeout(timeout_seconds or ANSWER_SECONDS, connect=CONNECT_SECONDS)
        try:
            response = self._http.request(method, ADMIN + route, json=json, timeout=timeout)
        except httpx.TransportError as error:
            raise ServiceUnreachable(address=self.base_url) from error
        _raise_for(response)
        return response

    def _open(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._http.send(request, stream=True)
            if not response.is_success:
                response.read()
        except httpx.TransportError as error:
            raise ServiceUnreachable(address=self.base_url) from error
        _raise_for(response)
        return response

    def _read(self, response: httpx.Response) -> Iterator[str]:
        """The data of each server-sent event of the answer."""
        try:
            for event in parse_events(response.iter_lines()):
                yield event.data
        except httpx.TransportError as error:
            raise ServiceUnreachable(address=self.base_url) from error
        finally:
            response.close()


def _engine_wish(wish: PlanWish) -> dict[str, Any]:
    """The part of a wish that concerns the model, as POST /engines/load names it."""
    return {
        "context_tokens": wish.context,
        "parallel": wish.parallel,
        "kv_type": wish.kv,
        "flash_attention": wish.flash_attention,
        "swa_full": wish.swa_full,
        "batch_tokens": wish.batch,
        "gpu_layers": wish.gpu_layers,
        "decode_threads": wish.threads,
        "memory_map": wish.mmap,
    }


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _raise_for(response: httpx.Response) -> None:
    if response.is_success:
        return
    if response.status_code == 401:
        raise Unauthorized()
    raise _remote_error(response.content, response.status_code)


def _remote_error(content: bytes, http_status: int) -> RemoteError:
    """The error in a body: ours names code and fields; one from elsewhere keeps its beginning as the detail."""
    try:
        error = msgspec.json.decode(content)["error"]
        # The OpenAI routes speak OpenAI's error codes and carry ours beside them.
        error = error.get("liangli") or error
        code, fields = str(error["code"]), dict(error.get("fields") or {"detail": error.get("message", "")})
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError):
        code, fields = "UnexpectedError", {"detail": f"HTTP {http_status} {content[:300].decode(errors='replace')}"}
    return RemoteError(code=code, fields=fields, http_status=http_status)


def _completion_chunk(body: dict[str, Any]) -> CompletionChunk:
    if "error" in body:
        raise _remote_error(msgspec.json.encode(body), 500)
    choice = (body.get("choices") or [{}])[0]
    delta = choice.get("delta") or {}
    usage = body.get("usage")
    return CompletionChunk(
        text=delta.get("content") or "",
        reasoning=delta.get("reasoning_content") or "",
        finish_reason=choice.get("finish_reason"),
        usage=usage and Usage(prompt_tokens=usage["prompt_tokens"], completion_tokens=usage["completion_tokens"]),
    )
