"""Errors of the engine. They carry fields, never sentences: `app.words` says them in the user's language.

InferenceError
├── ModelRefused            the file is not one that llama.cpp may see, or llama.cpp refused it
│   ├── ModelLoadFailed
│   ├── ModelLoadTimeout
│   ├── EngineDiedLoading
│   ├── PlanFailed
│   ├── ChatProfileUnknown
│   ├── EngineUnsound       no file is at fault: the engine itself cannot work here
│   └── ArchitectureUnsupported
├── RequestRefused          this request cannot be answered; others are not affected
│   ├── ContextOverflow
│   ├── TemplateFailed
│   ├── TemplateMissing
│   ├── InvalidSampling
│   └── EngineBusy
└── EngineDied              the child process ended after the model was loaded
"""

from __future__ import annotations

from dataclasses import dataclass


class InferenceError(Exception):
    """Base of every error that the engine reports."""


class ModelRefused(InferenceError):
    """The model cannot be loaded."""


@dataclass(eq=False)
class ModelLoadFailed(ModelRefused):
    """llama.cpp refused the file; `detail` is the last telling line of its log (English, technical)."""

    path: str
    detail: str


@dataclass(eq=False)
class ModelLoadTimeout(ModelRefused):
    """Loading took longer than its deadline and was stopped."""

    path: str
    limit_seconds: float


@dataclass(eq=False)
class EngineDiedLoading(ModelRefused):
    """The engine child ended over this file before it was loaded; the other fields are those of EngineDied."""

    path: str
    cause: str
    detail: str
    exit_code: int | None
    signal: int | None


@dataclass(eq=False)
class PlanFailed(ModelRefused):
    """llama.cpp's dry run refused the model; `detail` is the telling line of its log (English, technical)."""

    path: str
    detail: str


@dataclass(eq=False)
class OutOfMemoryLoading(ModelRefused):
    """An allocation failed while the model was being loaded.

    device: whose memory ran out ("CPU" or a device's name), needed_bytes: of the failed allocation; None where the
    engine does not tell. detail: its own line (English, technical).
    """

    path: str
    device: str | None
    needed_bytes: int | None
    detail: str


@dataclass(eq=False)
class DeviceMissing(ModelRefused):
    """The plan wants an accelerator that the engine does not find (any more)."""

    path: str
    device: str


@dataclass(eq=False)
class EngineUnsound(ModelRefused):
    """The engine itself cannot work here, whatever the model.

    reason: "no_device" (not even the processor: no back end could be loaded) or "two_copies" (libggml is in the process
    twice, so back ends that one knows are unknown to the other). detail: names of libraries (technical).
    """

    reason: str
    detail: str


@dataclass(eq=False)
class ChatProfileUnknown(ModelRefused):
    """The plan names a built-in chat profile that does not exist; `known` are those that do."""

    name: str
    known: list[str]


@dataclass(eq=False)
class ArchitectureUnsupported(ModelRefused):
    """This engine cannot chat with such a model (encoder-only, embedding, projector …)."""

    path: str
    architecture: str


class RequestRefused(InferenceError):
    """The request cannot be answered as it stands."""


@dataclass(eq=False)
class ContextOverflow(RequestRefused):
    """The prompt leaves no room for an answer in the context. Nothing was cut."""

    prompt_tokens: int
    context_tokens: int


@dataclass(eq=False)
class TemplateFailed(RequestRefused):
    """The model's chat template could not be rendered; `detail` is the template's own message, if any.

    profile: the built-in chat profile that fits the model, where the template is of no use at all; "" for none.
    """

    detail: str
    profile: str = ""


@dataclass(eq=False)
class TemplateMissing(RequestRefused):
    """The model file carries no chat template, so chat cannot be rendered; plain completion works.

    profile: the built-in chat profile that fits the model; "" for none.
    """

    model: str
    profile: str = ""


@dataclass(eq=False)
class ToolsUnsupported(RequestRefused):
    """Tools were given, and the model's chat template has no place for them."""

    model: str


@dataclass(eq=False)
class InvalidSampling(RequestRefused):
    """A sampling value is outside its range."""

    field: str
    value: str


@dataclass(eq=False)
class EngineBusy(RequestRefused):
    """The waiting line is full."""

    waiting: int
    limit: int


@dataclass(eq=False)
class EngineDied(InferenceError):
    """The engine child ended; see `inference.worker.death` for how the cause was read.

    cause: one of "killed", "aborted", "segfault", "out_of_memory", "hung", "exited".
    detail: an assertion text or the last log line (English, technical), may be empty.
    """

    cause: str
    detail: str
    exit_code: int | None
    signal: int | None
