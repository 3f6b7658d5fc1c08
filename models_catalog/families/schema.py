"""The shape of family files and of the tables they refer to; what does not fit is refused with its place."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from models_catalog.families.values import Ability, Commercial, State

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
# "owner/name", or "owner/name@revision". Neither part can climb out of a folder.
RepositoryText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}(@[A-Za-z0-9._-]{1,64})?$"
    ),
]
FilePattern = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\\]*\{quantization\}[^\x00-\x1f\\]*$", max_length=200)]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][^\x00-\x1f\\]*\.gguf$", max_length=200)]
Count = Annotated[int, msgspec.Meta(gt=0)]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all tables."""


class WordsTable(Table, frozen=True):
    zh: Text
    en: Text


class LicenceTable(Table, frozen=True):
    name: WordsTable
    commercial: Commercial
    terms: WordsTable


class TemplateTable(Table, frozen=True):
    """name goes with the kinds "builtin" and "token_ids", user and assistant with the latter."""

    kind: Annotated[str, msgspec.Meta(pattern="^(gguf|builtin|token_ids)$")]
    name: Id | None = None
    user: int | None = None
    assistant: int | None = None


class SwitchTable(Table, frozen=True):
    variable: Annotated[str, msgspec.Meta(pattern=r"^[a-z_][a-z0-9_]*$")]
    on: bool | int | str
    off: bool | int | str


class ThinkingTable(Table, frozen=True):
    default: bool
    open: Text | None = None
    close: Text | None = None
    starts_open: bool = False
    switch: SwitchTable | None = None
    soft_on: Text | None = None
    soft_off: Text | None = None
    keep: bool = False


class ProfileTable(Table, frozen=True):
    template: TemplateTable
    thinking: ThinkingTable | None = None
    tools: Id | None = None
    stop: tuple[Text, ...] = ()
    note: WordsTable | None = None


class SamplingTable(Table, frozen=True):
    temperature: Annotated[float, msgspec.Meta(ge=0, le=5)] | None = None
    top_p: Probability | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0)] | None = None
    min_p: Probability | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    repeat_penalty: Annotated[float, msgspec.Meta(gt=0, le=2)] | None = None


class SamplingModesTable(Table, frozen=True):
    always: SamplingTable | None = None
    thinking: SamplingTable | None = None
    answering: SamplingTable | None = None


class OriginalTable(Table, frozen=True):
    huggingface: RepositoryText | None = None
    modelscope: RepositoryText | None = None


class SourceTable(Table, frozen=True):
    huggingface: RepositoryText | None = None
    modelscope: RepositoryText | None = None
    files: FilePattern | None = None
    split_files: FilePattern | None = None
    raw_parts: FilePattern | None = None
    projectors: tuple[FileName, ...] = ()
    confirmed: bool = True


class EmbeddingTable(Table, frozen=True):
    dimensions: Count
    query_prefix: str = ""


class ModelTable(Table, frozen=True):
    """vendor: None: the family's. confirmed: whether a listing has shown the model."""

    id: Id
    name: WordsTable
    total_parameters: Count
    licence: Id
    abilities: tuple[Ability, ...]
    profile: Id
    vendor: WordsTable | None = None
    active_parameters: Count | None = None
    context_tokens: Count | None = None
    architecture: Id | None = None
    sampling: Id | None = None
    original: OriginalTable = OriginalTable()
    sources: tuple[SourceTable, ...] = ()
    state: State = State.READY
    reason: WordsTable | None = None
    successor: Id | None = None
    plan_data: Id | None = None
    confirmed: bool = True
    embedding: EmbeddingTable | None = None
    note: WordsTable | None = None


class FamilyTable(Table, frozen=True):
    """A family file. licences, profiles and samplings may be named that only this file defines."""

    id: Id
    name: WordsTable
    vendor: WordsTable
    about: WordsTable
    models: tuple[ModelTable, ...]
    order: int = 0
    aliases: tuple[Text, ...] = ()
    licence: dict[Id, LicenceTable] = {}
    profile: dict[Id, ProfileTable] = {}
    sampling: dict[Id, SamplingModesTable] = {}


class ProfilesTable(Table, frozen=True):
    """`resources/chat_profiles.toml`."""

    profile: dict[Id, ProfileTable]
    sampling: dict[Id, SamplingModesTable]


class Document(Table, frozen=True):
    """The shipped catalogue in one piece: `resources/families/catalogue.json`, made of the TOML files beside it.

    date: when it was last changed, "2026-11-24".
    """

    licences: dict[Id, LicenceTable]
    profiles: ProfilesTable
    families: tuple[FamilyTable, ...]
    date: str = ""


def check_family(table: dict[str, Any]) -> FamilyTable:
    """Raises msgspec.ValidationError, which names the place."""
    return msgspec.convert(table, FamilyTable)
