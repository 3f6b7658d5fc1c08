"""Built-in chat profiles: our own templates for model files that carry none, or a broken one. Never used unasked."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatProfile:
    """How a family of models is talked to.

    template: a jinja template for our sandbox. stop: texts that end an answer, beside the vocabulary's own end tokens.
    token_ids: marks that the template writes, by the number of the token each stands for; no text of the vocabulary
    gives these tokens.
    architectures, names: see `choose_profile`.
    """

    name: str
    template: str
    stop: tuple[str, ...] = ()
    token_ids: dict[str, int] = field(default_factory=dict)
    architectures: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def all_profiles() -> tuple[ChatProfile, ...]:
    """All of resources/chat_templates/profiles.toml, in its order."""
    tables = tomllib.loads(resources.path("chat_templates", "profiles.toml").read_text("utf-8"))["profile"]
    return tuple(map(_profile, tables))


def find_profile(name: str) -> ChatProfile | None:
    """The profile of this name, None when there is none."""
    return next((profile for profile in all_profiles() if profile.name == name), None)


def choose_profile(architecture: str, model_name: str) -> ChatProfile | None:
    """The first profile for this architecture of GGUF file one of whose patterns is in the model's name; None if none
    fits. A guess: it is offered to the user, never used without a word."""
    for profile in all_profiles():
        if architecture in profile.architectures and (
            not profile.names or any(re.search(pattern, model_name, re.IGNORECASE) for pattern in profile.names)
        ):
            return profile
    return None


def _profile(table: dict[str, Any]) -> ChatProfile:
    file = resources.path("chat_templates", f"{table.get('template', table['name'])}.jinja")
    return ChatProfile(
        name=table["name"],
        template=file.read_text("utf-8").removesuffix("\n"),
        stop=tuple(table.get("stop", ())),
        token_ids=dict(table.get("token_ids", {})),
        architectures=frozenset(table["architectures"]),
        names=tuple(table.get("names", ())),
    )
