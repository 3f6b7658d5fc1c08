"""Smaller versions of the synthetic architectures, for tests that take milliseconds."""

from __future__ import annotations

from dataclasses import replace

from models_catalog.gguf.plan_data import VocabularySize
from tests.synthetic.architectures import ARCHITECTURES
from tests.synthetic.blueprint import Blueprint, Keys

_VOCABULARY = VocabularySize(tokens=1024, merges=700, text_bytes=9000)
_LAYERS = {"gemma3": 6, "qwen35": 4, "qwen3next": 4}
_NARROWER: Keys = {"embedding_length": 256, "feed_forward_length": 512}
_FEWER_EXPERTS: Keys = {"expert_count": 8, "expert_used_count": 2}


def tiny(name: str) -> Blueprint:
    """Of the architecture's kind, with two to six layers of 256 columns."""
    blueprint = ARCHITECTURES[name]
    keys = blueprint.keys | _NARROWER | {"block_count": _LAYERS.get(name, 2)}
    if "expert_count" in keys:
        keys |= _FEWER_EXPERTS
    return replace(blueprint, keys=keys, vocabulary=_VOCABULARY)
