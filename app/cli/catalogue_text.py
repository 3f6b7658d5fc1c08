"""Models of the catalogue, as the terminal's commands write them: for people and as JSON."""

from __future__ import annotations

from typing import Any, assert_never

import msgspec

from app.cli.screen import note, print_table
from app.values import Language
from app.words import describe
from models_catalog.families.kept_index import Ready
from models_catalog.families.values import (
    BuiltinTemplate,
    GgufTemplate,
    Model,
    Original,
    Source,
    State,
    Template,
    TokenIdTemplate,
    Words,
)
from resources.wording import text


def word(name: str, language: Language, **fields: Any) -> str:
    """A word of the catalogue: cli.catalogue.NAME."""
    return text(f"cli.catalogue.{name}", language, **fields)


def said(words: Words, language: Language) -> str:
    """The text in the language."""
    return words.zh if language == "zh" else words.en


def listed(values: list[str] | tuple[str, ...], language: Language) -> str:
    """Several words in one line."""
    return ("、" if language == "zh" else ", ").join(values)


def abilities(model: Model, language: Language) -> str:
    """What it can do, in words; "-" for nothing."""
    return listed([word(f"ability.{ability}", language) for ability in model.abilities], language) or "-"


def state(model: Model, language: Language) -> str:
    """Whether it can be had and run, in a word or two."""
    if model.state is State.USE_SUCCESSOR:
        return word("state.use_successor", language, successor=model.successor)
    return word(f"state.{model.state}", language)


def parameters(count: int) -> str:
    """ "8.2B", "24M"; as the names of models have it."""
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6)):
        if count >= size:
            return f"{count / size:.3g}{unit}" if count < 1000 * size else f"{count / size:.0f}{unit}"
    return str(count)


def shown_parameters(model: Model) -> str:
    """ "30.5B-A3.3B" for a mixture of experts, as their names have it."""
    if model.active_parameters is None:
        return parameters(model.total_parameters)
    return f"{parameters(model.total_parameters)}-A{parameters(model.active_parameters)}"


def context(tokens: int | None) -> str:
    """ "40K", "1M"; "-" where nobody said."""
    if tokens is None:
        return "-"
    for unit, size in (("M", 1024 * 1024), ("M", 1_000_000), ("K", 1024), ("K", 1000)):
        if tokens >= size and tokens % size == 0:
            return f"{tokens // size}{unit}"
    return f"{tokens:,}"


def record(model: Model) -> dict[str, Any]:
    """The model for programs: all that the catalogue says, in plain JSON values."""
    whole: dict[str, Any] = msgspec.to_builtins(model)
    whole["profile"]["template"]["kind"] = template_kind(model.profile.template)
    return whole


def template_kind(template: Template) -> str:
    """A word for programs."""
    match template:
        case GgufTemplate():
            return "gguf"
        case BuiltinTemplate():
            return "builtin"
        case TokenIdTemplate():
            return "token_ids"
        case _:
            assert_never(template)


def repositories(place: Source | Original) -> list[str]:
    """ "Hugging Face: owner/name", "ModelScope: owner/name"; with the commit where it is fixed."""
    hubs = (("Hugging Face", place.huggingface), ("ModelScope", place.modelscope))
    return [
        f"{hub}: {repository.name}" + (f" @ {repository.revision[:12]}" if repository.revision else "")
        for hub, repository in hubs
        if repository is not None
    ]


def note_problems(ready: Ready, language: Language) -> None:
    """The user's own files, and the copy of an update, that could not be used, one line each."""
    for problem in ready.problems:
        if problem.kept_update:
            note(text("catalogue.status.kept_broken", language, path=problem.path, problem=problem.problem))
            continue
        fields = {"path": problem.path, "key": problem.key, "problem": problem.problem}
        note(describe("FamilyFileBroken", fields, language))


def print_models(models: list[Model], language: Language) -> None:
    """A table of models, and below it what to do next."""
    # English names repeat the ids.
    named = language == "zh"
    columns = ["model", *(["name"] if named else []), "parameters", "context", "abilities", "commercial", "state"]
    rows = [
        [
            model.id,
            *([said(model.name, language)] if named else []),
            shown_parameters(model),
            context(model.context_tokens),
            abilities(model, language),
            word(f"commercial.{model.licence.commercial}", language),
            state(model, language),
        ]
        for model in models
    ]
    print_table([text(f"cli.search.{column}", language) for column in columns], rows)
    note(text("cli.search.more", language, count=len(models)))
