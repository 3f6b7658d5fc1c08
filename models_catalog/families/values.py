"""Families of models and what the catalogue says of each model: plain values, nothing of this computer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str


class Ability(StrEnum):
    """What a model can be used for."""

    CHAT = "chat"
    THINKING = "thinking"
    TOOLS = "tools"
    VISION = "vision"
    CODE = "code"
    AUDIO = "audio"
    TRANSLATION = "translation"
    EMBEDDING = "embedding"
    RERANK = "rerank"


class State(StrEnum):
    """Whether a model can be had and run. Every state but READY comes with a reason in words."""

    READY = "ready"
    NEEDS_CONVERSION = "needs_conversion"
    USE_SUCCESSOR = "use_successor"
    NOT_SUPPORTED = "not_supported"


class Commercial(StrEnum):
    """Commercial use: allowed, allowed after a form or an application, forbidden, or not read closely yet."""

    YES = "yes"
    FORM = "form"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence and its terms in words."""

    id: str
    name: Words
    commercial: Commercial
    terms: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository on a hub, "owner/name". revision: a commit to stay with; None: whatever is newest."""

    name: str
    revision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """How a repository names its files. Patterns have {quantization}, those of models in several files {part} too.

    files: whole models. split_files: shards of the GGUF kind. raw_parts: pieces to be joined byte by byte.
    projectors: files for pictures. All empty: nothing is known, the general rules hold.
    """

    files: str | None = None
    split_files: str | None = None
    raw_parts: str | None = None
    projectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a hub said of a repository, and when, "2026-11-24". hub: "huggingface" or "modelscope".

    there: it listed GGUF files; False: it said that there is no such repository.
    """

    hub: str
    there: bool
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where GGUF files of a model are: a repository on one hub or, under both hubs, the same one.

    confirmed: a listing has shown it. listings: what hubs said on this computer, where that was news.
    """

    huggingface: Repository | None
    modelscope: Repository | None
    rules: FileRules
    confirmed: bool
    listings: tuple[Listing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """Where the maker's own weights are."""

    huggingface: Repository | None
    modelscope: Repository | None


@dataclass(frozen=True, slots=True)
class GgufTemplate:
    """The chat template in the model's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinTemplate:
    """One of ours, by its name in `resources/chat_templates`: for files that carry none, or a wrong one."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIdTemplate:
    """One of ours, by name, whose turns are marked by tokens that no text gives: their numbers in the vocabulary."""

    name: str
    user: int
    assistant: int


Template = GgufTemplate | BuiltinTemplate | TokenIdTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingSwitch:
    """A variable of the template that turns thinking on and off."""

    variable: str
    on: bool | int | str
    off: bool | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """How a model thinks.

    open, close: the tags around it; None where the template has no plain tags. starts_open: the template writes the
    opening tag, the answer begins inside. default: it thinks unless told otherwise. switch: None if it cannot be
    turned off by the template. soft_on, soft_off: words in the user's text. keep: earlier thinking stays in the chat.
    """

    open: str | None
    close: str | None
    starts_open: bool
    default: bool
    switch: ThinkingSwitch | None
    soft_on: str | None
    soft_off: str | None
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatProfile:
    """How to talk to a model. tools: the dialect of its tool calls.

    stop: texts that end an answer, beside the file's own end-of-turn token.
    """

    name: str
    template: Template
    thinking: Thinking | None
    tools: str | None
    stop: tuple[str, ...]
    note: Words | None


class Mode(StrEnum):
    """When a recommended sampling holds: always, while thinking is on, or while it is off."""

    ALWAYS = "always"
    THINKING = "thinking"
    ANSWERING = "answering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What the maker recommends; None: nothing is said."""

    mode: Mode
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repeat_penalty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """Of models that make vectors. query_prefix: to be put before questions (not before documents)."""

    dimensions: int
    query_prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of the catalogue.

    total_parameters, active_parameters: counts; the latter None where every token uses all. context_tokens: what it was
    trained for, None where nobody said. architecture: as in GGUF files. sources: GGUF files, the best first. plan_data:
    name in `models_catalog.plan_library` of this model or one of the very same shape. confirmed: a listing has shown
    it. own: from a file of the user.
    """

    id: str
    family: str
    name: Words
    vendor: Words
    total_parameters: int
    active_parameters: int | None
    context_tokens: int | None
    licence: Licence
    abilities: tuple[Ability, ...]
    architecture: str | None
    profile: ChatProfile
    sampling: tuple[Sampling, ...]
    original: Original
    sources: tuple[Source, ...]
    state: State
    reason: Words | None
    successor: str | None
    plan_data: str | None
    confirmed: bool
    embedding: Embedding | None
    note: Words | None
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models of one kind. order: smaller ones are shown first where nothing else decides. aliases: other names."""

    id: str
    name: Words
    vendor: Words
    order: int
    aliases: tuple[str, ...]
    about: Words
    models: tuple[Model, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """A family file of the user that was left out. key: where in it, such as "models[2].licence"; may be empty.

    kept_update: it is the copy of an update that is kept beside them; the built-in catalogue is used in its place.
    """

    path: str
    key: str
    problem: str
    kept_update: bool = False


class LeftOutWhy(StrEnum):
    """Why a family of an update is not used: its form is newer, it needs a newer engine or a template that this build
    does not have, or it contradicts itself."""

    SCHEMA = "schema"
    ENGINE = "engine"
    TEMPLATE = "template"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A family of an update that this build cannot use; the built-in one stays in use. detail: what it would need."""

    family: str
    why: LeftOutWhy
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All families in their order, and the files that could not be used.

    date: of the catalogue, "2026-11-24". updated: it is newer than what came with the program; then left_out are the
    families of it that this build cannot use.
    """

    families: tuple[Family, ...]
    problems: tuple[FileProblem, ...]
    date: str = ""
    updated: bool = False
    left_out: tuple[LeftOut, ...] = ()
