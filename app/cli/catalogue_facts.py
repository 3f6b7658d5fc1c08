"""One model of the catalogue, line by line, as `liangli show` writes it."""

from __future__ import annotations

from typing import assert_never

from app.cli.catalogue_text import abilities, listed, parameters, repositories, said, state, word
from app.values import Language
from models_catalog.families.values import (
    Ability,
    BuiltinTemplate,
    ChatProfile,
    Family,
    GgufTemplate,
    Mode,
    Model,
    Sampling,
    Source,
    TokenIdTemplate,
)
from resources.wording import text

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repeat_penalty")
# Models of these alone cannot be planned.
_ONLY_VECTORS = frozenset({Ability.EMBEDDING, Ability.RERANK})
Facts = list[tuple[str, str]]


def facts(model: Model, family: Family, language: Language) -> Facts:
    """Names and values, line by line; a line that goes on has no name."""

    def say(key: str, /, **fields: object) -> str:
        return text(f"cli.show.{key}", language, **fields)

    licence = model.licence
    found: Facts = [
        (say("name"), said(model.name, language)),
        (say("id"), model.id),
        (say("vendor"), said(model.vendor, language)),
        (say("family"), said(family.name, language)),
        ("", said(family.about, language)),
        (say("parameters"), _parameters(model, language)),
        (say("context"), say("tokens", count=f"{model.context_tokens:,}") if model.context_tokens else say("unknown")),
        (say("abilities"), abilities(model, language)),
        (
            say("licence"),
            say(
                "licence_line",
                name=said(licence.name, language),
                commercial=word(f"terms.{licence.commercial}", language),
            ),
        ),
        ("", said(licence.terms, language)),
        (say("state"), state(model, language)),
    ]
    if model.reason is not None:
        found.append(("", said(model.reason, language)))
    if model.architecture is not None:
        found.append((say("architecture"), model.architecture))
    if model.note is not None:
        found.append((say("note"), said(model.note, language)))
    found += _how_to_talk(model, language)
    found += _first_named(say("sources"), [line for source in model.sources for line in _source(source, language)])
    found += _first_named(say("original"), repositories(model.original))
    if model.plan_data is not None or (model.sources and not _ONLY_VECTORS.issuperset(model.abilities)):
        found.append((say("plan"), f"liangli plan {model.id}"))
    return found


def _parameters(model: Model, language: Language) -> str:
    total = parameters(model.total_parameters)
    if model.active_parameters is None:
        return total
    return text("cli.show.active", language, total=total, active=parameters(model.active_parameters))


def _how_to_talk(model: Model, language: Language) -> Facts:
    if model.embedding is not None:
        dimensions = text("cli.show.dimensions", language, count=model.embedding.dimensions)
        prefix = model.embedding.query_prefix.replace("\n", "\\n")
        found = [(text("cli.show.vector", language), dimensions)]
        return [*found, ("", text("cli.show.query_prefix", language, prefix=prefix))] if prefix else found
    if _ONLY_VECTORS.issuperset(model.abilities):
        return []
    profile = model.profile
    lines = [(text("cli.show.template", language), _template(profile, language))]
    if (thinking := _thinking(profile, language)) is not None:
        lines.append((text("cli.show.thinking", language), thinking))
    lines += _first_named(text("cli.show.sampling", language), [_sampling(one, language) for one in model.sampling])
    if profile.note is not None:
        lines.append((text("cli.show.note", language), said(profile.note, language)))
    return lines


def _template(profile: ChatProfile, language: Language) -> str:
    match profile.template:
        case GgufTemplate():
            return text("cli.show.template_gguf", language)
        case BuiltinTemplate(name=name):
            return text("cli.show.template_builtin", language, name=name)
        case TokenIdTemplate(user=user, assistant=assistant):
            return text("cli.show.template_tokens", language, user=user, assistant=assistant)
        case _:
            assert_never(profile.template)


def _thinking(profile: ChatProfile, language: Language) -> str | None:
    thinking = profile.thinking
    if thinking is None:
        return None
    said_parts = [text(f"cli.show.thinking_{'on' if thinking.default else 'off'}", language)]
    if thinking.switch is not None:
        said_parts.append(text("cli.show.thinking_switch", language, variable=thinking.switch.variable))
    elif thinking.default and thinking.soft_off is None:
        said_parts.append(text("cli.show.thinking_always", language))
    if thinking.soft_off is not None:
        said_parts.append(text("cli.show.thinking_soft", language, word=thinking.soft_off))
    if thinking.keep:
        said_parts.append(text("cli.show.thinking_kept", language))
    return ("，" if language == "zh" else ", ").join(said_parts)


def _sampling(sampling: Sampling, language: Language) -> str:
    values = [(name, getattr(sampling, name)) for name in _SAMPLING]
    line = listed([f"{name} {value:g}" for name, value in values if value is not None], "en")
    return line if sampling.mode is Mode.ALWAYS else text(f"cli.show.{sampling.mode}_mode", language, values=line)


def _source(source: Source, language: Language) -> list[str]:
    """One line for each hub, with what hubs' listings showed since the catalogue was made."""
    lines = []
    said_by = {listing.hub: listing for listing in source.listings}
    places = (source.huggingface, source.modelscope)
    hubs = [hub for hub, place in zip(("huggingface", "modelscope"), places, strict=True) if place is not None]
    for hub, line in zip(hubs, repositories(source), strict=True):
        listing = said_by.get(hub)
        if listing is not None:
            kind = "there" if listing.there else "gone"
            name = line.partition(":")[0]
            lines.append(text(f"catalogue.listing.{kind}", language, source=line, hub=name, date=listing.date))
        else:
            lines.append(line if source.confirmed else text("cli.show.unconfirmed", language, source=line))
    return lines


def _first_named(name: str, lines: list[str]) -> Facts:
    return [(name if number == 0 else "", line) for number, line in enumerate(lines)]
