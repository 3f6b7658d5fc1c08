"""The fixed prompts of the benchmark, from `resources/bench_prompts.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """equal: answered greedily by both engines. streams: eight long ones, with the placeholder {round}.

    counting: plain text to go on with. short, long: chat messages with a short and a long answer.
    """

    equal: tuple[str, ...]
    streams: tuple[str, ...]
    counting: str
    short: str
    long: str


def load_prompts() -> Prompts:
    """The prompts that ship with the app."""
    found = tomllib.loads(resources.path("bench_prompts.toml").read_text(encoding="utf-8"))
    return Prompts(
        equal=tuple(found["equal"]),
        streams=tuple(found["streams"]),
        counting=found["counting"],
        short=found["short"],
        long=found["long"],
    )
