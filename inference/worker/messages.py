"""Messages between the service and an engine child, and their codec: length-prefixed msgpack over a socket pair."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from inference.values import (
    ChatPrompt,
    FinishReason,
    GenerationRequest,
    LoadPlan,
    ModelFacts,
    Timings,
    TokenLogprob,
    Usage,
)

# Far above any honest message (a full 1 M token prompt is about 6 MB of text), far below what could hurt.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct("<I")


class Prepare(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Service → child, before Load: some model will be loaded soon, so be ready for it."""


class Load(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Service → child, first message but for Prepare: load this model."""

    plan: LoadPlan


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Service → child: answer this."""

    request: GenerationRequest


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Service → child: stop this request and free its sequence. Unknown ids are ignored."""

    request_id: str


class ShowPrompt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Service → child: what would the model read for this conversation? Answered by PromptShown or Refused."""

    request_id: str
    chat: ChatPrompt


class Shutdown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Service → child: free everything and exit 0."""


class LoadProgress(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service while loading; fraction 0..1."""

    fraction: float


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service: the model is loaded."""

    facts: ModelFacts


class MemoryReport(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service after the first full batch (or the first decode), and again when it holds clearly more.

    private_bytes: resident memory that belongs to no file, now; peak_bytes: the most that was ever seen.
    """

    private_bytes: int
    peak_bytes: int


class LoadRefused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service: the model cannot be loaded. `error`: a class of inference.errors or models_catalog.errors."""

    error: str
    fields: dict[str, Any]


class Admitted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service: reading of the prompt begins; cached_tokens of it are held already. `seed` is the one in use."""

    request_id: str
    prompt_tokens: int
    cached_tokens: int
    seed: int


class Delta(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service: more of an answer. Text is always whole characters; `reasoning` is thinking text."""

    request_id: str
    text: str = ""
    reasoning: str = ""
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service: the last message of a request that was answered."""

    request_id: str
    reason: FinishReason
    usage: Usage
    timings: Timings


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service: the last message of a request that was not answered. `error`: a class of inference.errors."""

    request_id: str
    error: str
    fields: dict[str, Any]


class PromptShown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service: the whole prompt as text, and how many tokens it is."""

    request_id: str
    text: str
    prompt_tokens: int


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Child → service before a long step and when idle for some seconds: alive; silence until then is expected."""

    silent_for_seconds: float


ToChild = Prepare | Load | Submit | Cancel | ShowPrompt | Shutdown
ToService = (
    LoadProgress | Ready | MemoryReport | LoadRefused | Admitted | Delta | Finished | Refused | PromptShown | Heartbeat
)

_encoder = msgspec.msgpack.Encoder()
_to_child = msgspec.msgpack.Decoder(ToChild)
_to_service = msgspec.msgpack.Decoder(ToService)


def encode(message: ToChild | ToService) -> bytes:
    """One message as bytes, its length in front (4 bytes, little-endian)."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def body_length(prefix: bytes) -> int:
    """Length of the body that follows a 4-byte prefix. Raises ValueError when it is absurd."""
    (length,) = _LENGTH.unpack(prefix)
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"message of {length} bytes")
    return int(length)


def decode_to_child(body: bytes) -> ToChild:
    """Raises msgspec.DecodeError when the body is not one of the service's messages."""
    message: ToChild = _to_child.decode(body)
    return message


def decode_to_service(body: bytes) -> ToService:
    """Raises msgspec.DecodeError when the body is not one of the child's messages."""
    message: ToService = _to_service.decode(body)
    return message
