"""From checked tables to values: names of licences, profiles and samplings are replaced by what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from models_catalog.families.schema import (
    EmbeddingTable,
    FamilyTable,
    LicenceTable,
    ModelTable,
    ProfilesTable,
    ProfileTable,
    SamplingModesTable,
    SamplingTable,
    SourceTable,
    SwitchTable,
    TemplateTable,
    ThinkingTable,
    WordsTable,
)
from models_catalog.families.values import (
    BuiltinTemplate,
    ChatProfile,
    Embedding,
    Family,
    FileRules,
    GgufTemplate,
    Licence,
    Mode,
    Model,
    Original,
    Repository,
    Sampling,
    Source,
    State,
    Template,
    Thinking,
    ThinkingSwitch,
    TokenIdTemplate,
    Words,
)


class Unresolved(ValueError):
    """A table is well formed, but cannot be. key: where, such as "models[2].licence"."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key, self.problem = key, problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What families may name."""

    licences: Mapping[str, Licence]
    profiles: Mapping[str, ChatProfile]
    samplings: Mapping[str, tuple[Sampling, ...]]


def shared(licences: Mapping[str, LicenceTable], profiles: ProfilesTable) -> Shared:
    """Raises Unresolved."""
    return Shared(
        licences={name: _licence(name, table) for name, table in licences.items()},
        profiles={name: _profile(name, table) for name, table in profiles.profile.items()},
        samplings={name: _sampling(table) for name, table in profiles.sampling.items()},
    )


def family(table: FamilyTable, known: Shared, *, own: bool = False) -> Family:
    """Raises Unresolved."""
    if table.licence or table.profile or table.sampling:
        mine = shared(table.licence, ProfilesTable(profile=table.profile, sampling=table.sampling))
        known = Shared(
            licences={**known.licences, **mine.licences},
            profiles={**known.profiles, **mine.profiles},
            samplings={**known.samplings, **mine.samplings},
        )
    ids: set[str] = set()
    models = []
    for number, model in enumerate(table.models):
        key = f"models[{number}]"
        if model.id in ids:
            raise Unresolved(f"{key}.id", f'there are two models "{model.id}"')
        ids.add(model.id)
        models.append(_model(model, table, known, key, own))
    return Family(
        id=table.id,
        name=_words(table.name),
        vendor=_words(table.vendor),
        order=table.order,
        aliases=table.aliases,
        about=_words(table.about),
        models=tuple(models),
    )


def _model(table: ModelTable, whole: FamilyTable, known: Shared, key: str, own: bool) -> Model:
    if table.state is not State.READY and table.reason is None:
        raise Unresolved(f"{key}.reason", f'the state "{table.state}" needs a reason')
    if table.state is State.READY and not table.sources:
        raise Unresolved(f"{key}.sources", "a model that is ready needs a source")
    if (table.state is State.USE_SUCCESSOR) != (table.successor is not None):
        raise Unresolved(f"{key}.successor", 'a successor goes with the state "use_successor"')
    if table.active_parameters is not None and table.active_parameters > table.total_parameters:
        raise Unresolved(f"{key}.active_parameters", "cannot be more than total_parameters")
    return Model(
        id=table.id,
        family=whole.id,
        name=_words(table.name),
        vendor=_words(table.vendor or whole.vendor),
        total_parameters=table.total_parameters,
        active_parameters=table.active_parameters,
        context_tokens=table.context_tokens,
        licence=_named(known.licences, table.licence, f"{key}.licence"),
        abilities=table.abilities,
        architecture=table.architecture,
        profile=_named(known.profiles, table.profile, f"{key}.profile"),
        sampling=_named(known.samplings, table.sampling, f"{key}.sampling") if table.sampling else (),
        original=Original(
            huggingface=_repository(table.original.huggingface), modelscope=_repository(table.original.modelscope)
        ),
        sources=tuple(_source(source, f"{key}.sources[{at}]") for at, source in enumerate(table.sources)),
        state=table.state,
        reason=_words_or_none(table.reason),
        successor=table.successor,
        plan_data=table.plan_data,
        confirmed=table.confirmed,
        embedding=_embedding(table.embedding),
        note=_words_or_none(table.note),
        own=own,
    )


_Value = TypeVar("_Value")


def _named(values: Mapping[str, _Value], name: str, key: str) -> _Value:
    found = values.get(name)
    if found is None:
        raise Unresolved(key, f'nothing is called "{name}"')
    return found


def _source(table: SourceTable, key: str) -> Source:
    if table.huggingface is None and table.modelscope is None:
        raise Unresolved(key, "needs huggingface or modelscope")
    for name, pattern in (("split_files", table.split_files), ("raw_parts", table.raw_parts)):
        if pattern is not None and "{part}" not in pattern:
            raise Unresolved(f"{key}.{name}", "needs {part}")
    return Source(
        huggingface=_repository(table.huggingface),
        modelscope=_repository(table.modelscope),
        rules=FileRules(
            files=table.files,
            split_files=table.split_files,
            raw_parts=table.raw_parts,
            projectors=table.projectors,
        ),
        confirmed=table.confirmed,
    )


def _repository(text: str | None) -> Repository | None:
    if text is None:
        return None
    name, _, revision = text.partition("@")
    return Repository(name=name, revision=revision or None)


def _licence(name: str, table: LicenceTable) -> Licence:
    return Licence(id=name, name=_words(table.name), commercial=table.commercial, terms=_words(table.terms))


def _profile(name: str, table: ProfileTable) -> ChatProfile:
    return ChatProfile(
        name=name,
        template=_template(table.template, f"profile.{name}.template"),
        thinking=_thinking(table.thinking),
        tools=table.tools,
        stop=table.stop,
        note=_words_or_none(table.note),
    )


def _template(table: TemplateTable, key: str) -> Template:
    match table.kind:
        case "builtin":
            if table.name is None:
                raise Unresolved(f"{key}.name", "a built-in template needs its name")
            return BuiltinTemplate(name=table.name)
        case "token_ids":
            if table.name is None or table.user is None or table.assistant is None:
                raise Unresolved(key, "needs name, user and assistant")
            return TokenIdTemplate(name=table.name, user=table.user, assistant=table.assistant)
        case _:
            return GgufTemplate()


def _thinking(table: ThinkingTable | None) -> Thinking | None:
    if table is None:
        return None
    return Thinking(
        open=table.open,
        close=table.close,
        starts_open=table.starts_open,
        default=table.default,
        switch=_switch(table.switch),
        soft_on=table.soft_on,
        soft_off=table.soft_off,
        keep=table.keep,
    )


def _switch(table: SwitchTable | None) -> ThinkingSwitch | None:
    return None if table is None else ThinkingSwitch(variable=table.variable, on=table.on, off=table.off)


def _sampling(table: SamplingModesTable) -> tuple[Sampling, ...]:
    modes: tuple[tuple[Mode, SamplingTable | None], ...] = (
        (Mode.ALWAYS, table.always),
        (Mode.THINKING, table.thinking),
        (Mode.ANSWERING, table.answering),
    )
    return tuple(
        Sampling(mode=mode, **{field: getattr(values, field) for field in values.__struct_fields__})
        for mode, values in modes
        if values is not None
    )


def _embedding(table: EmbeddingTable | None) -> Embedding | None:
    return None if table is None else Embedding(dimensions=table.dimensions, query_prefix=table.query_prefix)


def _words(table: WordsTable) -> Words:
    return Words(zh=table.zh, en=table.en)


def _words_or_none(table: WordsTable | None) -> Words | None:
    return None if table is None else _words(table)


def place_of(error: msgspec.ValidationError) -> tuple[str, str]:
    """Key and problem of what msgspec says: "Expected `str`, got `int` - at `$.models[2].name.zh`"."""
    problem, _, place = str(error).partition(" - at `")
    return place.rstrip("`").removeprefix("$").removeprefix("."), problem
