"""What of an update this build can use."""

from __future__ import annotations

import tomllib
from functools import lru_cache

import resources
from models_catalog.families.update_index import Build


@lru_cache(maxsize=1)
def this_build() -> Build:
    """The engine that is installed, and what ships with the app."""
    from importlib import metadata  # twenty milliseconds, which only a catalogue that was updated costs

    templates = tomllib.loads(resources.path("chat_templates", "profiles.toml").read_text(encoding="utf-8"))["profile"]
    plan_data = resources.path("plan_data").glob("*.*")
    return Build(
        engine=metadata.version("llama-cpp-python"),
        templates=frozenset(str(table["name"]) for table in templates),
        plan_data=frozenset(file.stem for file in plan_data),
    )
