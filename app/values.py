"""Values that the service and its faces (window, terminal) exchange as JSON; decoded with msgspec by the faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
# streaming: being written now; complete; length: token limit reached; stopped: by the user;
# interrupted: the engine or the service died under it (the text so far is kept); failed: nothing could be generated.
MessageState = Literal["streaming", "complete", "length", "stopped", "interrupted", "failed"]
EngineState = Literal["loading", "ready", "restarting", "failed"]
FetchState = Literal["choosing_source", "transferring", "verifying", "done", "cancelled", "failed"]
ModelPlace = Literal["library", "added", "ollama", "lm-studio", "jan", "huggingface", "modelscope"]
LibraryWorkKind = Literal["verify", "compare", "copy", "move"]
LibraryWorkState = Literal["running", "done", "cancelled", "failed"]
Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """An error as it crosses HTTP: the exception's class name and its fields. `app.words` turns it into a sentence."""

    code: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStats:
    """What one answer cost. cached_tokens: part of the prompt that was not computed again."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    first_token_seconds: float
    tokens_per_second: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a chat's tree. Versions of a turn share their parent_id; sibling_ids lists them, oldest first."""

    id: str
    chat_id: str
    parent_id: str | None
    role: Role
    text: str
    reasoning: str
    state: MessageState
    model: str
    created_at: float
    sibling_ids: tuple[str, ...]
    stats: MessageStats | None = None
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSummary:
    """A row of the conversation list; times are seconds since the epoch."""

    id: str
    title: str
    model: str
    created_at: float
    updated_at: float
    busy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A conversation and its active branch, root first."""

    summary: ChatSummary
    system_prompt: str
    messages: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A model file on this computer. `id` is what API clients pass as `model`. problem: why it cannot be used.

    place: "library" (the models folder), "added" (a file elsewhere), or the program whose model it is: "ollama",
    "lm-studio", "jan", "huggingface", "modelscope". origin: repository, or the other program's name for it, "" if
    unknown. sha256: of each of its files, () while unknown. missing: its disk or folder is not there now.
    duplicates: ids of models with the very same bytes; maybe_duplicates: as large, and not compared yet.
    """

    id: str
    name: str
    path: str
    size_bytes: int
    architecture: str
    quantization: str
    trained_context_tokens: int
    licence: str
    added_at: float
    problem: ErrorBody | None = None
    place: ModelPlace = "library"
    origin: str = ""
    sha256: tuple[str, ...] = ()
    missing: bool = False
    duplicates: tuple[str, ...] = ()
    maybe_duplicates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRemoval:
    """What removing a model does. paths: files that are deleted; none: it is only taken from the list.

    freed_bytes: less than the files' sizes where other names for the same bytes remain.
    """

    paths: tuple[str, ...]
    freed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The models of a folder that are used from now on, and why others are not."""

    models: tuple[LocalModel, ...]
    refused: tuple[ErrorBody, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareStatus:
    """Sharing on the local network. sharing: the setting; addresses: where others reach this computer, () while it has
    no private address or the port is taken. code: what they need. peers: addresses that are asked when downloading."""

    sharing: bool
    addresses: tuple[str, ...]
    code: str
    peers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryWork:
    """Long work on model files. model: the one that is verified or copied, "" for work on the whole library.

    verdict: of a verified model: "matches" (what was published), "unchanged" (since it was read last) or "sound"
    (whole; nobody knows what it should be). left: after a move, files that could not be removed from the old folder.
    """

    key: str
    kind: LibraryWorkKind
    model: str
    state: LibraryWorkState
    done_bytes: int
    total_bytes: int
    verdict: str = ""
    left: tuple[str, ...] = ()
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """One number that was lowered after memory ran out. kind: table of `plan.ladder`; fields: its placeholders."""

    kind: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingDefaults:
    """Sampling values by their names in requests, for what a request leaves open: while the model thinks, and else."""

    thinking: dict[str, float]
    answering: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """A loaded (or loading) model. tokens_per_second: of the last answer, 0 before there is one.

    load_fraction: 0..1 while loading. memory_bytes: resident memory of the child now, mapped weights included.
    planned_bytes, private_bytes: what the plan says of the host's memory without mapped weights, and what the child was
    last seen to hold of it; 0 while unknown. changes: what was lowered since it was loaded. chat_profile: the built-in
    one that takes the place of the file's template. catalogue_model: the catalogue's id of it, "" if it knows it not.
    sampling_defaults: None until it is loaded.
    """

    model: str
    name: str
    state: EngineState
    pid: int | None
    load_fraction: float
    context_tokens: int
    running_requests: int
    waiting_requests: int
    tokens_per_second: float
    memory_bytes: int
    restarts: int
    error: ErrorBody | None = None
    planned_bytes: int = 0
    private_bytes: int = 0
    changes: tuple[PlanChange, ...] = ()
    chat_profile: str | None = None
    catalogue_model: str = ""
    sampling_defaults: SamplingDefaults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePrompt:
    """What a model reads before it writes a message: its whole prompt. chat_profile: see EngineStatus."""

    model: str
    text: str
    prompt_tokens: int
    chat_profile: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFinding:
    """One thing that is to be said of a chat template; its words are `doctor.finding.KEY` with `fields`."""

    key: str
    severity: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateReport:
    """What the template doctor says of a model's own chat template.

    severity: "fine", "note", "warning" or "broken". tools: dialect of its tool calls. thinking: how it is switched.
    chat_profile: the built-in one that is offered in its place.
    """

    model: str
    severity: str
    usable: bool
    tools: str | None
    thinking: str | None
    chat_profile: str | None
    findings: tuple[TemplateFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterOffer:
    """A starter model that can be fetched. fits: free memory and free disk allow it."""

    key: str
    name: str
    size_bytes: int
    needed_memory_bytes: int
    licence: str
    fits: bool
    installed: bool
    recommended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchStatus:
    """Progress of one download. source: its display name ("ModelScope", "Hugging Face", "hf-mirror", …)."""

    key: str
    state: FetchState
    received_bytes: int
    total_bytes: int
    bytes_per_second: float
    source: str
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """The service itself. engines: what is loaded now. memory: of this computer, for the window's memory card."""

    version: str
    pid: int
    base_url: str
    data_folder: str
    engines: tuple[EngineStatus, ...]
    total_memory_bytes: int
    available_memory_bytes: int
    service_memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of the service's stream (SSE: `id:` is `number`, `data:` is this as JSON).

    kind and the fields of `data`:
      "chat"            ChatSummary                       created or changed
      "chat_deleted"    {id}
      "message"         ChatMessage                       created, finished, or replaced as a whole
      "delta"           {chat_id, message_id, offset, text, reasoning_offset, reasoning}
                        offsets count characters (Python str) already sent: a gap means "fetch the chat again"
      "engine"          EngineStatus                      on every change of state, and each second while it works
      "engine_unloaded" {model}                           the model is no longer loaded
      "plan_changed"    {model, name, change: PlanChange} memory ran out: the model is loaded anew with a lower plan
      "fetch"           FetchStatus
      "models"          {}                                the list of local models changed
      "library_work"    LibraryWork                       begun, a little further, ended
      "download"        DownloadStatus                    queued, a little further, ended
      "download_removed" DownloadRemoved                  no longer in the queue
      "downloads"       {order}                           ids in their new order
      "catalogue_fit"   CatalogueFit                      how a model would run here, one that was asked for
      "catalogue"       {}                                the catalogue is another one
      "template_report" TemplateReport                    of a model that is new here
      "calibration"     CalibrationStatus                 how far the measuring of the computer's speed is
      "settings"        {}                                settings changed
      "gap"             {}                                events were missed: fetch everything anew
      "bye"             {}                                the service is about to end
    """

    number: int
    kind: str
    data: dict[str, Any]
