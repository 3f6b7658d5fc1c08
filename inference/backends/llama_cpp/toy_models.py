"""Models of zeros for timing the engine's kernels: a header written here, weights that are a hole in a file.

Zeros take as long to multiply as any other numbers. Only what decides where the work goes is really written: the
embedding and the routers, so that each token asks for experts of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_catalog.gguf.encoding import encode_header
from models_catalog.gguf.parsing import DEFAULT_ALIGNMENT, TensorInfo, Value, ValueType
from models_catalog.gguf.tensor_types import TENSOR_TYPES

VOCABULARY = 256
_TYPES = {kind.name: kind for kind in TENSOR_TYPES.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """A file: `head`, then a hole up to `size_bytes`."""

    head: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Of a llama model. experts, used: 0 for a dense one; feed_forward: of one expert where there are experts."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_width: int
    experts: int = 0
    used: int = 0


# Matrices as large as those of real models; several of them, so that no cache holds a token's weights.
_LARGE = Shape(layers=0, width=2048, feed_forward=8192, heads=16, kv_heads=4, head_width=128)
_LARGE_LAYER_ELEMENTS = 2048 * (2048 + 512 + 512 + 2048) + 3 * 2048 * 8192
# Hardly any work beside its nodes.
CHAIN = Shape(layers=32, width=64, feed_forward=64, heads=2, kv_heads=2, head_width=32)
# Hardly any work beside attending.
ATTENTION = Shape(layers=1, width=256, feed_forward=256, heads=16, kv_heads=4, head_width=128)
EXPERTS = Shape(
    layers=2, width=2048, feed_forward=768, heads=16, kv_heads=4, head_width=128, experts=32, used=4
)  # fmt: skip


def large(weight_type: str, size_bytes: int) -> Shape:
    """Dense layers that hold about so many bytes of a type."""
    kind = _TYPES[weight_type]
    layer_bytes = _LARGE_LAYER_ELEMENTS // kind.block_elements * kind.block_bytes
    return Shape(
        layers=max(2, round(size_bytes / layer_bytes)),
        width=_LARGE.width,
        feed_forward=_LARGE.feed_forward,
        heads=_LARGE.heads,
        kv_heads=_LARGE.kv_heads,
        head_width=_LARGE.head_width,
    )


def write_toy(shape: Shape, weight_type: str) -> Toy:
    """The file of a model whose matrices are of this type. The same arguments give the same bytes."""
    tensors, written, offset = [], bytearray(), 0
    for name, dimensions, type_name in _tensors(shape, weight_type):
        tensor = _tensor(name, dimensions, type_name, offset)
        tensors.append(tensor)
        if type_name == "F32" and "norm" not in name:
            values = _scattered(tensor.elements)
            written += bytes(offset - len(written)) + values.tobytes()
        offset += -(-tensor.size_bytes // DEFAULT_ALIGNMENT) * DEFAULT_ALIGNMENT
    values_and_types = _metadata(shape)
    header = encode_header(
        {key: value for key, (value, _) in values_and_types.items()},
        {key: kind for key, (_, kind) in values_and_types.items()},
        tensors,
        alignment=DEFAULT_ALIGNMENT,
    )
    return Toy(head=header + bytes(written), size_bytes=len(header) + offset)


def _scattered(count: int) -> NDArray[np.float32]:
    """Numbers around 0 with a standard deviation of 1 that follow no pattern. The frozen program has no numpy.random.

    The finalizer of MurmurHash3 over their places, then the same as Irwin and Hall's sum of two uniform numbers.
    """
    mixed = np.arange(1, count + 1, dtype=np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed = (mixed ^ (mixed >> np.uint32(shift))) * np.uint32(factor)
    mixed ^= mixed >> np.uint32(16)
    halves = (mixed & np.uint32(0xFFFF)).astype(np.float32) + (mixed >> np.uint32(16)).astype(np.float32)
    scaled: NDArray[np.float32] = (halves / np.float32(65536) - np.float32(1)) * np.float32(6**0.5)
    return scaled


def _tensor(name: str, dimensions: Sequence[int], type_name: str, offset: int) -> TensorInfo:
    kind, elements = _TYPES[type_name], int(np.prod(dimensions))
    return TensorInfo(
        name=name,
        shape=tuple(dimensions),
        type=kind,
        offset_bytes=offset,
        size_bytes=elements // kind.block_elements * kind.block_bytes,
    )


def _metadata(shape: Shape) -> dict[str, tuple[Value, ValueType]]:
    whole, number, text = ValueType.UINT32, ValueType.FLOAT32, ValueType.STRING
    values: dict[str, tuple[Value, ValueType]] = {
        "general.architecture": ("llama", text),
        "tokenizer.ggml.model": ("none", text),
        "llama.vocab_size": (VOCABULARY, whole),
        "llama.block_count": (shape.layers, whole),
        "llama.context_length": (4096, whole),
        "llama.embedding_length": (shape.width, whole),
        "llama.feed_forward_length": (shape.feed_forward, whole),
        "llama.attention.head_count": (shape.heads, whole),
        "llama.attention.head_count_kv": (shape.kv_heads, whole),
        "llama.attention.key_length": (shape.head_width, whole),
        "llama.attention.value_length": (shape.head_width, whole),
        "llama.attention.layer_norm_rms_epsilon": (1e-5, number),
        "llama.rope.dimension_count": (shape.head_width, whole),
        "llama.rope.freq_base": (10000.0, number),
    }
    if shape.experts:
        values["llama.expert_count"] = (shape.experts, whole)
        values["llama.expert_used_count"] = (shape.used, whole)
    return values


def _tensors(shape: Shape, weight_type: str) -> list[tuple[str, tuple[int, ...], str]]:
    """(name, shape, type); what is written for real comes first, the hole behind it."""
    width, blocks = shape.width, [f"blk.{layer}." for layer in range(shape.layers)]
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    # F32, so that random bytes need not be quantized.
    tensors: list[tuple[str, tuple[int, ...], str]] = [("token_embd.weight", (width, VOCABULARY), "F32")]
    if shape.experts:
        tensors += [(f"{block}ffn_gate_inp.weight", (width, shape.experts), "F32") for block in blocks]
    tensors += [("output_norm.weight", (width,), "F32"), ("output.weight", (width, VOCABULARY), weight_type)]
    stack, suffix = ((shape.experts,), "_exps") if shape.experts else ((), "")
    for block in blocks:
        tensors += [
            (f"{block}attn_norm.weight", (width,), "F32"),
            (f"{block}attn_q.weight", (width, queries), weight_type),
            (f"{block}attn_k.weight", (width, keys), weight_type),
            (f"{block}attn_v.weight", (width, keys), weight_type),
            (f"{block}attn_output.weight", (queries, width), weight_type),
            (f"{block}ffn_norm.weight", (width,), "F32"),
            (f"{block}ffn_gate{suffix}.weight", (width, shape.feed_forward, *stack), weight_type),
            (f"{block}ffn_up{suffix}.weight", (width, shape.feed_forward, *stack), weight_type),
            (f"{block}ffn_down{suffix}.weight", (shape.feed_forward, width, *stack), weight_type),
        ]
    return tensors
