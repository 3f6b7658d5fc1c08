"""The sampling that a model's file recommends: its `general.sampling.*` values, read as llama.cpp's tools read them."""

from __future__ import annotations

from collections.abc import Callable

from inference.values import SamplingAdvice


def read_sampling(value_of: Callable[[str], str]) -> SamplingAdvice:
    """value_of: a value of the file's header as text, "" where it has none. What makes no sense is left out."""

    def read(key: str, lowest: float, highest: float) -> float | None:
        try:
            value = float(value_of(f"general.sampling.{key}"))
        except ValueError:
            return None
        return value if lowest <= value <= highest else None

    top_k = read("top_k", 0, 1_000_000)
    return SamplingAdvice(
        temperature=read("temp", 0, 5),
        top_k=None if top_k is None else int(top_k),
        top_p=read("top_p", 0, 1),
        min_p=read("min_p", 0, 1),
        repeat_penalty=read("penalty_repeat", 0.01, 10),
    )
