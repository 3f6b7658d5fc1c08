"""Messages between the service and the plan worker; framed as those of the engine child (inference.worker.frames)."""

from __future__ import annotations

from typing import Any

import msgspec

from inference.planning.advice import Sibling
from inference.planning.values import Limits, Machine, PlanAnswer, Residuals, Wish


class PlanTask(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Service → worker: plan this model. head: its plan data (a header without vocabulary), uncompressed.

    projector_path: a projector's file on this computer, "" for none. draft_head: a draft model's plan data, or b"".
    with_advice: also look for changes that would help, which takes up to a dozen further plans. siblings: the model's
    other quantizations, for advice.
    """

    model_path: str
    head: bytes
    machine: Machine
    wish: Wish = Wish()
    limits: Limits = Limits()
    residuals: Residuals = Residuals()
    projector_path: str = ""
    draft_head: bytes = b""
    with_advice: bool = False
    siblings: tuple[Sibling, ...] = ()


class Planned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Worker → service: the plan."""

    answer: PlanAnswer


class PlanRefused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Worker → service: no plan; `error`: a class of inference.errors or models_catalog.errors."""

    error: str
    fields: dict[str, Any]


_encoder = msgspec.msgpack.Encoder()
_task = msgspec.msgpack.Decoder(PlanTask)
_reply = msgspec.msgpack.Decoder(Planned | PlanRefused)


def encode(message: PlanTask | Planned | PlanRefused) -> bytes:
    """One message, its length in front (4 bytes, little-endian)."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "little") + body


def decode_task(body: bytes) -> PlanTask:
    """Raises msgspec.DecodeError."""
    return _task.decode(body)


def decode_reply(body: bytes) -> Planned | PlanRefused:
    """Raises msgspec.DecodeError."""
    reply: Planned | PlanRefused = _reply.decode(body)
    return reply
