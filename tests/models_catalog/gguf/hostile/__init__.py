"""Odd, broken and hostile GGUF files, the same for the same seed.

Each `Case` is a tiny sound model with one thing wrong, or something that is no model at all. Many are still loadable:
the point is that none of them may do harm. `tests.models_catalog.gguf.hostile_run` tries them in earnest.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.models_catalog.gguf.hostile import files, numbers, templates, tensors, vocabularies
from tests.models_catalog.gguf.hostile.case import Case, sound_models

__all__ = ["Case", "cases", "sound_models"]


def cases(*, seed: int = 0, flips: int = 200) -> Iterator[Case]:
    """All cases. `flips`: how many files with a few flipped bits are among them."""
    generator = random.Random(seed)
    for architecture, pieces in sound_models().items():
        yield from numbers.hyperparameters(architecture, pieces, generator)
    qwen = sound_models()["qwen2"]
    yield from numbers.added_keys(qwen)
    yield from vocabularies.tokenizers(qwen)
    yield from vocabularies.sentence_piece(sound_models()["llama"])
    yield from tensors.tensor_types(qwen)
    yield from tensors.tensor_types(sound_models()["qwen35"])
    yield from tensors.tensor_shapes(qwen)
    yield from tensors.weights(qwen)
    yield from templates.templates(qwen)
    yield from files.structures(qwen)
    yield from files.kinds(qwen)
    yield from files.flips(generator, flips)
