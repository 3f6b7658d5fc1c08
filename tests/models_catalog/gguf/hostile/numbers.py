"""Files with absurd numbers of the model."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from tests.models_catalog.gguf.gguf_bytes import GgufPieces, Pair
from tests.models_catalog.gguf.hostile.case import BOOL, FLOAT32, TEXT, UINT32, Case


def hyperparameters(architecture: str, pieces: GgufPieces, generator: random.Random) -> Iterator[Case]:
    prefix = f"{architecture}."
    for pair in pieces.pairs:
        key = pair.key.decode()
        if not key.startswith(prefix):
            continue
        yield Case("hyperparameter", f"{key} removed", pieces.without(key))
        for value in _odd_values(pair, generator):
            yield Case("hyperparameter", f"{key} = {value}", pieces.with_value(key, value))
        yield Case("hyperparameter", f"{key} as text", pieces.with_pair(key, TEXT, b"many"))
        yield Case("hyperparameter", f"{key} as array", pieces.with_pair(key, UINT32, (1, 2, 3), is_array=True))


def _odd_values(pair: Pair, generator: random.Random) -> list[Any]:
    if pair.is_array:
        return [(0,) * len(pair.value), (-1,) * len(pair.value), (1 << 30,) * len(pair.value), (), (3,) * 1000]
    if pair.type == FLOAT32:
        return [0.0, -1.0, math.nan, math.inf, 1e38, 1e-45]
    old = int(pair.value)
    return [0, 1, 3, old + 1, old * 2, 0x7FFFFFFF, 0xFFFFFFFF, old ^ (1 << generator.randrange(20))]


def added_keys(pieces: GgufPieces) -> Iterator[Case]:
    """Keys of other architectures and rare features, with values from absurd to plausible."""
    integers = (
        "expert_count", "expert_used_count", "expert_group_count", "expert_group_used_count", "attention.key_length",
        "attention.value_length", "attention.sliding_window", "attention.sliding_window_pattern", "pooling_type",
        "nextn_predict_layers", "n_deepstack_layers", "embedding_length_out", "rope.dimension_count_swa",
        "attention.key_length_swa", "rope.scaling.original_context_length", "attention.kv_lora_rank",
        "leading_dense_block_count", "ssm.state_size", "full_attention_interval", "attention.shared_kv_layers",
    )  # fmt: skip
    for name in integers:
        for value in (0, 1, 7, 4096, 0xFFFFFFFF):
            yield Case("added key", f"{name} = {value}", pieces.with_pair(f"qwen2.{name}", UINT32, value))
    floats = (
        "rope.scaling.factor", "rope.scaling.attn_factor", "attention.scale", "rope.scale_linear",
        "final_logit_softcapping", "attention.clamp_kqv", "attention.max_alibi_bias", "logit_scale",
    )  # fmt: skip
    for name in floats:
        for number in (0.0, math.nan, -math.inf, 1e-30):
            yield Case("added key", f"{name} = {number}", pieces.with_pair(f"qwen2.{name}", FLOAT32, number))
    for kind in (b"yarn", b"longrope", b"linear", b"llama3", b"", b"\xff\xfe", b"x" * 100_000):
        yield Case(
            "added key",
            f"rope.scaling.type = {kind[:9]!r}",
            pieces.with_pair("qwen2.rope.scaling.type", TEXT, kind),
        )
    yield Case("added key", "causal = false", pieces.with_pair("qwen2.attention.causal", BOOL, 0))
    labels = (b"a", b"b")
    yield Case("added key", "labels", pieces.with_pair("qwen2.classifier.output_labels", TEXT, labels, is_array=True))
