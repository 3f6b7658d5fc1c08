"""Headers of well-known shapes, made from numbers; what a real file would hold, without the file."""

from __future__ import annotations

from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo, Value
from models_catalog.gguf.tensor_types import TENSOR_TYPES, TensorType

_TYPES: dict[str, TensorType] = {kind.name: kind for kind in TENSOR_TYPES.values()}


def header(architecture: str, values: dict[str, Value], tensors: dict[str, tuple[str, tuple[int, ...]]]) -> GgufHeader:
    """values: own keys without the architecture; tensors: name → (ggml type, shape with the row length first)."""
    infos = {}
    offset = 0
    for name, (kind, shape) in tensors.items():
        elements = 1
        for length in shape:
            elements *= length
        size = elements // _TYPES[kind].block_elements * _TYPES[kind].block_bytes
        infos[name] = TensorInfo(name=name, shape=shape, type=_TYPES[kind], offset_bytes=offset, size_bytes=size)
        offset += size
    return GgufHeader(
        path=f"{architecture}.gguf",
        version=3,
        values={
            "general.architecture": architecture,
            **{f"{architecture}.{key}": value for key, value in values.items()},
        },
        value_types={},
        tensors=infos,
        data_offset=0,
        needed_bytes=offset,
        size_bytes=offset,
    )


def dense(
    *,
    architecture: str = "qwen3",
    layers: int,
    width: int,
    feed_forward: int,
    heads: int,
    kv_heads: int,
    head_width: int,
    vocabulary: int,
    tied: bool = False,
    kind: str = "Q4_K",
    wide_kind: str = "Q6_K",
    **values: Value,
) -> GgufHeader:
    """A transformer with `kind` weights; value, down, embedding and output matrices in `wide_kind` (like Q4_K_M)."""
    tensors: dict[str, tuple[str, tuple[int, ...]]] = {"token_embd.weight": (wide_kind, (width, vocabulary))}
    for block in (f"blk.{layer}." for layer in range(layers)):
        tensors |= {
            f"{block}attn_norm.weight": ("F32", (width,)),
            f"{block}attn_q.weight": (kind, (width, heads * head_width)),
            f"{block}attn_k.weight": (kind, (width, kv_heads * head_width)),
            f"{block}attn_v.weight": (wide_kind, (width, kv_heads * head_width)),
            f"{block}attn_output.weight": (kind, (heads * head_width, width)),
            f"{block}ffn_norm.weight": ("F32", (width,)),
            f"{block}ffn_gate.weight": (kind, (width, feed_forward)),
            f"{block}ffn_up.weight": (kind, (width, feed_forward)),
            f"{block}ffn_down.weight": (wide_kind, (feed_forward, width)),
        }
    tensors["output_norm.weight"] = ("F32", (width,))
    if not tied:
        tensors["output.weight"] = (wide_kind, (width, vocabulary))
    own: dict[str, Value] = {
        "block_count": layers,
        "context_length": 32768,
        "embedding_length": width,
        "feed_forward_length": feed_forward,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head_width,
        "attention.value_length": head_width,
    }
    return header(architecture, own | {key.replace("__", "."): value for key, value in values.items()}, tensors)


def qwen3_0_6b() -> GgufHeader:
    """The shape of Qwen3-0.6B in Q4_K_M."""
    return dense(
        layers=28,
        width=1024,
        feed_forward=3072,
        heads=16,
        kv_heads=8,
        head_width=128,
        vocabulary=151936,
        tied=True,
    )


def llama2_70b() -> GgufHeader:
    """The shape of Llama-2-70B in F16."""
    return dense(
        architecture="llama",
        layers=80,
        width=8192,
        feed_forward=28672,
        heads=64,
        kv_heads=8,
        head_width=128,
        vocabulary=32000,
        kind="F16",
        wide_kind="F16",
    )


def mixture(*, layers: int = 12, experts: int = 64, used: int = 8) -> GgufHeader:
    """A qwen3moe: routed experts in every block."""
    plain = dense(
        architecture="qwen3moe",
        layers=layers,
        width=1024,
        feed_forward=3072,
        heads=16,
        kv_heads=4,
        head_width=128,
        vocabulary=32000,
        expert_count=experts,
        expert_used_count=used,
    )
    tensors = {name: (tensor.type.name, tensor.shape) for name, tensor in plain.tensors.items() if "ffn_" not in name}
    for block in (f"blk.{layer}." for layer in range(layers)):
        tensors |= {
            f"{block}ffn_norm.weight": ("F32", (1024,)),
            f"{block}ffn_gate_inp.weight": ("F32", (1024, experts)),
            f"{block}ffn_gate_exps.weight": ("Q4_K", (1024, 512, experts)),
            f"{block}ffn_up_exps.weight": ("Q4_K", (1024, 512, experts)),
            f"{block}ffn_down_exps.weight": ("Q6_K", (512, 1024, experts)),
        }
    values = {
        key.removeprefix("qwen3moe."): value for key, value in plain.values.items() if key != "general.architecture"
    }
    return header("qwen3moe", values, tensors)
