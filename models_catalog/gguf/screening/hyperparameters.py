"""Are the model's numbers sane, and do they agree with each other?

llama.cpp checks most of them by assertions, which end the process, or not at all: a zero becomes a division by zero, a
huge number an allocation. Ranges are far wider than any real model's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from models_catalog.errors import HyperparameterRefused
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.llama_cpp_facts import llama_cpp_facts
from models_catalog.gguf.parsing import Value

MAX_LAYERS = 512  # LLAMA_MAX_LAYERS
MAX_EXPERTS = 1024  # LLAMA_MAX_EXPERTS
_MAX_WIDTH = 1 << 18
_MAX_HEAD_LENGTH = 8192
_MAX_INTEGER = 1 << 28
_MAX_FLOAT = 1e12
_MAX_TEXT = 4096
_MAX_ARRAY = 1 << 20

# Keys below the architecture's name, first match wins: least and greatest value of an integer.
_INTEGER_RANGES: tuple[tuple[str, int, int], ...] = (
    (r"vocab_size", 1, 1 << 21),
    (r"context_length|rope\.scaling\.original_context_length", 1, _MAX_INTEGER),
    (r"embedding_length(_out)?", 1, _MAX_WIDTH),
    (r"block_count", 1, MAX_LAYERS),
    (r"full_attention_interval", 1, MAX_LAYERS),
    (r"attention\.head_count(_kv)?", 0, 4096),
    (r"attention\.(key|value)_length(_swa|_mla|_mla_swa)?", 0, _MAX_HEAD_LENGTH),
    (r"rope\.dimension_count(_swa)?", 0, _MAX_HEAD_LENGTH),
    (r"rope\.dimension_sections", 0, _MAX_HEAD_LENGTH),
    (r"expert_count|expert_used_count|expert_shared_count|expert_group_count", 0, MAX_EXPERTS),
    (r"expert_group_used_count|experts_per_group", 0, MAX_EXPERTS),
    (r"(leading_dense_)?block_count|nextn_predict_layers|hash_layer_count", 0, MAX_LAYERS),
    (r"interleave_moe_layer_step|moe_every_n_layers|rescale_every_n_layers", 0, MAX_LAYERS),
    (r"num_loops|hrm\.\w+|n_deepstack_layers|attention\.shared_kv_layers", 0, MAX_LAYERS),
    (r"attention\.sliding_window_pattern", 0, MAX_LAYERS),
    (r"ssm\.conv_kernel|shortconv\.l_cache|ple\.conv_kernel", 1, 256),
    (r"ssm\.(inner_size|time_step_rank)", 1, _MAX_WIDTH),
    (r"ssm\.state_size", 1, 4096),
    (r"ssm\.group_count", 0, 4096),
    (r"wkv\.head_size|kda\.head_dim", 1, 4096),
    (r"token_shift_count", 1, 2),
    (r"expert_gating_func", 1, 4),
    (r"hyper_connection\.(count|sinkhorn_iterations|low_rank)", 0, 4096),
    (r"attention\.output_group_count", 1, 4096),
    (r"attention\.indexer\.(kpool|block_size)", 1, _MAX_WIDTH),
    (r".*_token_id", 0, (1 << 32) - 1),
    (r"ple\.layer_multipliers|ple\.head_offsets", 0, (1 << 64) - 1),
    (r"ple\.head_vocab_sizes", 1, (1 << 32) - 1),
    (r".*(_length|_rank|_dim|_size|_count)", 0, _MAX_WIDTH * 16),
    (r".*", -_MAX_INTEGER, _MAX_INTEGER),
)
_RANGES = tuple((re.compile(pattern), least, greatest) for pattern, least, greatest in _INTEGER_RANGES)
_POSITIVE_FLOATS = re.compile(r"rope\.freq_base(_swa)?|attention\.compress_rope_freq_base")
_EPSILONS = re.compile(r".*(_epsilon|_eps)|hyper_connection\.epsilon")
_ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")  # any other name is an assertion
# Arrays with one element for each layer.
_PER_LAYER = (
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "expert_used_count",
    "expert_feed_forward_length",
)
# Gated delta nets, whose heads are as long as their state.
_DELTA_NETS = ("qwen3next", "qwen35", "qwen4exp")
# Architectures that abort where others assume a gating function.
_WITHOUT_DEFAULT_GATE = ("dots1", "hy_v4", "minimax-m2", "smallthinker")
# The head's length is that of its rotated part, which is the whole.
HEADS_AS_LONG_AS_ROTATED = ("bailingmoe",)
_SECTIONED = ("qwen2vl", "qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "qwen4exp")


def check_hyperparameters(header: GgufHeader) -> None:
    """Raises HyperparameterRefused."""
    prefix = f"{header.architecture}."
    for key, value in header.values.items():
        if key.startswith(prefix):
            problem = _out_of_range(key.removeprefix(prefix), value)
            if problem:
                raise HyperparameterRefused(header.path, key, problem)
    for key in ("block_count", "context_length", "embedding_length"):
        if header.own_integer(key) is None:
            _refuse(header, key, "is missing")
    _check_layers(header)
    _check_heads(header)
    _check_rope(header)
    _check_experts(header)
    _check_recurrence(header)


def _refuse(header: GgufHeader, key: str, problem: str) -> None:
    raise HyperparameterRefused(header.path, f"{header.architecture}.{key}", problem)


def _own_or(header: GgufHeader, key: str, default: int) -> int:
    value = header.own_integer(key)
    return default if value is None else value


def _out_of_range(key: str, value: Value) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return f"has {len(value)} characters" if len(value) > _MAX_TEXT else None
    if isinstance(value, int | float):
        return _number_problem(key, (value,))
    if len(value) > _MAX_ARRAY:
        return f"has {len(value)} elements"
    return None if isinstance(value, StringArray) else _number_problem(key, value)


def _number_problem(key: str, numbers: Sequence[int] | Sequence[float]) -> str | None:
    if not numbers:
        return None
    # The extremes speak for all; a NaN would hide among them.
    extremes = (min(numbers), max(numbers))
    if any(isinstance(number, float) for number in extremes):
        odd = next((number for number in numbers if not math.isfinite(number)), None)
        extremes = extremes if odd is None else (odd, odd)
    least, greatest = next((least, greatest) for pattern, least, greatest in _RANGES if pattern.fullmatch(key))
    for number in extremes:
        if not (least <= number <= greatest if isinstance(number, int) else _float_fits(key, number)):
            return f"is {number}"
    return None


def _float_fits(key: str, number: float) -> bool:
    if not math.isfinite(number) or abs(number) > _MAX_FLOAT:
        return False
    if _EPSILONS.fullmatch(key):
        return 0 <= number <= 1
    return number > 0 or not _POSITIVE_FLOATS.fullmatch(key)


def _check_layers(header: GgufHeader) -> None:
    layers = header.layers or 0
    for key in ("nextn_predict_layers", "attention.shared_kv_layers"):
        if (header.own_integer(key) or 0) >= layers:
            _refuse(header, key, f"is {header.own(key)} of {layers} layers")
    if (header.own_integer("leading_dense_block_count") or 0) > layers:
        _refuse(header, "leading_dense_block_count", f"exceeds the {layers} layers")
    for key in _PER_LAYER:
        value = header.own(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            continue
        if isinstance(value, bool | float | str | StringArray):
            _refuse(header, key, "has the wrong type")
        elif len(value) != layers:
            _refuse(header, key, f"has {len(value)} elements for {layers} layers")


def _check_heads(header: GgufHeader) -> None:
    heads = header.per_layer("attention.head_count") or ()
    kv_heads = header.per_layer("attention.head_count_kv") or heads
    for count, kv_count in zip(heads, kv_heads, strict=False):
        if count and kv_count and count % kv_count:
            _refuse(header, "attention.head_count_kv", f"is {kv_count} for {count} heads")
    width = header.embedding_length or 0
    first = heads[0] if heads else 0
    if first > width:
        _refuse(header, "attention.head_count", f"is {first} for a width of {width}")
    if first and header.architecture in llama_cpp_facts().equal_head_lengths:
        key_length = value_length = width // first
        for suffix in ("", "_swa"):
            # A head of sliding-window layers is as long as the others unless its own key says otherwise.
            key_length = _own_or(header, f"attention.key_length{suffix}", key_length)
            value_length = _own_or(header, f"attention.value_length{suffix}", value_length)
            if key_length != value_length or not key_length:
                _refuse(header, f"attention.value_length{suffix}", f"is {value_length}, the keys' {key_length}")


def _check_rope(header: GgufHeader) -> None:
    scaling = header.text(f"{header.architecture}.rope.scaling.type")
    if scaling is not None and scaling not in _ROPE_SCALINGS:
        _refuse(header, "rope.scaling.type", f"is {scaling[:40]!r}")
    heads, width = header.heads or 0, header.embedding_length or 0
    head_length = _own_or(header, "attention.key_length", width // heads if heads else 0)
    rotated = _own_or(header, "rope.dimension_count", head_length)
    longest = max(head_length, header.own_integer("attention.key_length_mla") or 0)
    if header.architecture in HEADS_AS_LONG_AS_ROTATED:
        longest = max(longest, rotated)
    whole = header.architecture in llama_cpp_facts().whole_head_rotated
    # Latent attention may do without any rotated part.
    least = 0 if header.own("attention.kv_lora_rank") is not None else 2
    if heads and (rotated % 2 or not least <= rotated <= longest or (whole and rotated != head_length)):
        _refuse(header, "rope.dimension_count", f"is {rotated} for heads of {longest}")
    rotated_swa = header.own_integer("rope.dimension_count_swa") or 0
    if rotated_swa % 2 or rotated_swa > max(longest, header.own_integer("attention.key_length_swa") or 0):
        _refuse(header, "rope.dimension_count_swa", f"is {rotated_swa}")
    sections = header.own("rope.dimension_sections")
    if isinstance(sections, Sequence) and not isinstance(sections, str | StringArray):
        if len(sections) > 4 or sum(sections) > _MAX_HEAD_LENGTH:
            _refuse(header, "rope.dimension_sections", f"has {len(sections)} elements")
        # ggml_rope_multi asserts that one of the first three is positive.
        if header.architecture in _SECTIONED and not any(sections[:3]):
            _refuse(header, "rope.dimension_sections", "is zero")


def _check_experts(header: GgufHeader) -> None:
    """The assertions of llama_model_base::load_hparams."""
    count = header.own_integer("expert_count") or 0
    used = max(header.per_layer("expert_used_count") or (0,))
    groups = header.own_integer("expert_group_count") or 0
    groups_used = header.own_integer("expert_group_used_count") or 0
    if "moe" in header.architecture and not count:
        _refuse(header, "expert_count", "is missing in a mixture of experts")
    if used > count or (count and not used):
        _refuse(header, "expert_used_count", f"is {used} of {count} experts")
    if groups and groups >= max(count, 1):
        _refuse(header, "expert_group_count", f"is {groups} for {count} experts")
    if groups > 1 and (count % groups or not 0 < groups_used < groups):
        _refuse(header, "expert_group_used_count", f"is {groups_used} of {groups} groups of {count} experts")
    if header.architecture in _WITHOUT_DEFAULT_GATE and header.own("expert_gating_func") is None:
        _refuse(header, "expert_gating_func", "is missing")
    if header.architecture == "ernie4_5-moe" and not header.own_integer("interleave_moe_layer_step"):
        _refuse(header, "interleave_moe_layer_step", "is missing or zero")
    if header.architecture == "grovemoe" and not header.own_integer("experts_per_group"):
        _refuse(header, "experts_per_group", "is missing or zero")


def _check_recurrence(header: GgufHeader) -> None:
    width = header.embedding_length or 0
    if header.architecture in ("rwkv6", "rwkv7") and header.own_integer("token_shift_count") == 1:
        _refuse(header, "token_shift_count", "is 1")
    head_size = header.own_integer("wkv.head_size")
    if head_size and width % head_size:
        _refuse(header, "wkv.head_size", f"is {head_size} for a width of {width}")
    inner, rank = header.own_integer("ssm.inner_size"), header.own_integer("ssm.time_step_rank")
    groups = header.own_integer("ssm.group_count") or 0
    # In the first Mamba and Jamba the rank is that of a projection; in all later ones it counts heads.
    if inner and rank and header.architecture not in ("mamba", "jamba"):
        if inner % rank:
            _refuse(header, "ssm.time_step_rank", f"is {rank} for an inner size of {inner}")
        if groups and rank % groups:
            _refuse(header, "ssm.group_count", f"is {groups} for {rank} heads")
        state = header.own_integer("ssm.state_size") or 0
        if header.architecture.startswith(_DELTA_NETS) and inner != rank * state:
            _refuse(header, "ssm.inner_size", f"is {inner} for {rank} heads of {state}")
