"""Do the attention weights have the widths that heads and head lengths say?

llama.cpp computes some shapes from the model's width and uses others; where the two disagree the graph asserts.
"""

from __future__ import annotations

import re

from models_catalog.errors import HyperparameterRefused, TensorRefused
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo
from models_catalog.gguf.screening.hyperparameters import HEADS_AS_LONG_AS_ROTATED

_ATTENTION = re.compile(r"blk\.(\d+)\.attn_(q|k|v|qkv)\.weight")
# Architectures with latent attention whose converters all follow DeepSeek's.
_LATENT = ("deepseek2", "deepseek32", "glm-dsa", "kimi-linear", "kimi-k3", "mistral4")
# Layers without key-value heads are the recurrent ones; without any of them the recurrent state's buffer is missing.
_MARKED_BY_HEADS = ("lfm2", "lfm2moe", "kimi-linear", "kimi-k3")
# All heads have keys of their own here, whatever the header says.
_UNGROUPED = ("minicpm3",)
_HEADLESS = ("rwkv6", "rwkv7")


def check_attention(header: GgufHeader) -> None:
    """Raises HyperparameterRefused or TensorRefused."""
    _check_kinds(header)
    latent = header.own_integer("attention.kv_lora_rank") is not None
    if latent and header.own("attention.key_length_mla") is not None and header.architecture in _LATENT:
        _check_latent(header)
    elif not latent and header.own("kda.head_dim") is None:
        _check_widths(header)


def _refuse(header: GgufHeader, key: str, problem: str) -> None:
    raise HyperparameterRefused(header.path, f"{header.architecture}.{key}", problem)


def _check_kinds(header: GgufHeader) -> None:
    heads = header.per_layer("attention.head_count") or ()
    kv_heads = header.per_layer("attention.head_count_kv") or heads
    if header.architecture in _UNGROUPED and heads != kv_heads:
        _refuse(header, "attention.head_count_kv", "differs from head_count")
    if header.architecture in _HEADLESS and any(heads):
        _refuse(header, "attention.head_count", "is not zero")
    if header.architecture in _MARKED_BY_HEADS and (all(kv_heads) or not any(kv_heads)):
        _refuse(header, "attention.head_count_kv", "marks no layer as recurrent, or all")


def _check_latent(header: GgufHeader) -> None:
    rank = header.own_integer("attention.kv_lora_rank") or 0
    rotated = header.own_integer("rope.dimension_count")
    if rotated is None or rotated >= (header.own_integer("attention.key_length_mla") or 0):
        _refuse(header, "rope.dimension_count", f"is {rotated}")
    elif header.own("attention.key_length") != rank + rotated:
        _refuse(header, "attention.key_length", f"is not {rank} + {rotated}")
    if any(count > 1 for count in header.per_layer("attention.head_count_kv") or (2,)):
        _refuse(header, "attention.head_count_kv", "is not 1 with latent attention")


def _check_widths(header: GgufHeader) -> None:
    heads = header.per_layer("attention.head_count") or ()
    kv_heads = header.per_layer("attention.head_count_kv") or heads
    keys = _head_lengths(header, "key", heads)
    values = _head_lengths(header, "value", heads)
    for tensor in header.tensors.values():
        match = _ATTENTION.fullmatch(tensor.name)
        if match is None or int(match[1]) >= len(heads) or len(tensor.shape) != 2:
            continue
        count, kv_count = heads[int(match[1])], kv_heads[int(match[1])]
        if count and kv_count and not _fits(match[2], tensor, count, kv_count, keys, values, header):
            problem = f"has {tensor.shape[1]} rows for {count} heads, {kv_count} of them with keys of {keys[0]}"
            raise TensorRefused(header.path, tensor.name, problem)


def _head_lengths(header: GgufHeader, kind: str, heads: tuple[int, ...]) -> tuple[int, ...]:
    """Possible lengths of a head, that of ordinary layers first."""
    default = (header.embedding_length or 0) // max(heads[0] if heads else 1, 1)
    ordinary = header.own_integer(f"attention.{kind}_length")
    window = header.own_integer(f"attention.{kind}_length_swa")
    rotated = header.own_integer("rope.dimension_count") if header.architecture in HEADS_AS_LONG_AS_ROTATED else None
    lengths = (default if ordinary is None else ordinary, window, rotated)
    return tuple(length for length in lengths if length is not None)


def _fits(
    part: str,
    tensor: TensorInfo,
    heads: int,
    kv_heads: int,
    keys: tuple[int, ...],
    values: tuple[int, ...],
    header: GgufHeader,
) -> bool:
    rows = tensor.shape[1]
    match part:
        case "q":  # some architectures put a gate of the same width beside the query
            return any(length and rows % (heads * length) == 0 for length in keys)
        case "k":
            return any(rows == kv_heads * length for length in keys)
        case "v":
            return any(rows == kv_heads * length for length in values)
        case _:  # the linear-attention layers of hybrids have other things under this name
            if header.own("ssm.state_size") is not None:
                return True
            return any(rows >= (heads + 2 * kv_heads) * length for length in keys)
